"""Evaluating the health of companies and recording how it changes."""
