"""What comes in, for those who look: the live list, refused requests, the trace of an event."""
