"""The HTTP door: authenticate, limit, validate, enqueue, answer."""
