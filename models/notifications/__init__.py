"""Notifications to people: destinations, messages, and the changes of health in each."""
