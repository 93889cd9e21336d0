"""The embedded Redis: its server, its directory, and its append-only file."""
