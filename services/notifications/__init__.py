"""Notifications to people: their messages, what these say, and how they are delivered."""
