"""Notifications to people: which health changes cause one, and when it may be sent."""
