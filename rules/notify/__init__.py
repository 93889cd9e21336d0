"""Notifications to people: which changes of health cause one, and when it may be sent."""
