"""The meaning of each kind of phrase: the conditions that a flag consists of."""
