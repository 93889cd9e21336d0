"""What each kind of phrase means: the conditions that a flag is made of."""
