"""What every HTTP API asks of its clients: a valid key, and requests within the limits."""
