"""`brazebee notify`: destinations of notifications, and the messages to them."""
