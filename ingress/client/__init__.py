"""The checks that every HTTP API makes of its clients: a valid key, and the rate limit."""
