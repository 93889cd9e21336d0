"""API keys, and the event keys that an organization accepts."""
