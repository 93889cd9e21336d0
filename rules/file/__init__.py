"""Rule files: from YAML to a rule book, with every fault and its position."""
