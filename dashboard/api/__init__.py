"""The read API: what the pages show, for programs with an API key."""
