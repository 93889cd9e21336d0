"""Hostile inputs, seeded and repeatable, against the running product."""
