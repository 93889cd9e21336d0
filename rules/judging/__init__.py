"""Evaluating a company: its status, since when, until when, and why."""
