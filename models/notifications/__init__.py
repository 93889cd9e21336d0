"""Notifications to people: destinations, messages, and the health changes in each."""
