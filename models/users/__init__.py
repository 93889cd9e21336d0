"""Users across companies: one of them with its events, and those that a search finds."""
