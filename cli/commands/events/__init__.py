"""`brazebee events`: what comes in, what is refused, and what becomes of one event."""
