"""Evaluating a company: which status, since when, until when, and why."""
