"""Fields of companies and users that are sent without an event."""
