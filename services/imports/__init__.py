"""Loads what other systems have exported."""
