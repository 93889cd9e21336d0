"""Webhooks: their payloads, signatures and allowed addresses, and how they are delivered."""
