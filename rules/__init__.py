"""The rule language and its exact evaluation: facts and an instant in, verdicts out, no I/O."""
