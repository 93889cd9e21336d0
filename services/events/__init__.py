"""Storing events with the companies and users that they mention."""
