"""The rule file: from YAML to a rule book, with every fault and its line."""
