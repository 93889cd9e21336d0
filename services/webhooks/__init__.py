"""Webhooks: what they say, how they are signed, where they may go, and how they are sent."""
