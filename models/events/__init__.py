"""Events, and counts of events."""
