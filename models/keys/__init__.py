"""API keys, and the event keys that each of them may send."""
