"""The journal: accepted events in the order of their acceptance, until they are stored."""
