"""Tests of a rule file, written in YAML beside it."""
