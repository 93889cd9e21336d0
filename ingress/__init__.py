"""Accepts events by HTTP: authenticates, limits, validates, enqueues and answers requests."""
