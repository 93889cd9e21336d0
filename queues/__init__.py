"""The queues between processes: the broker, and the messages by name."""
