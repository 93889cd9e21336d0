"""Flags, overrides and transitions, and what is due to be evaluated."""
