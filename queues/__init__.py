"""The queues between the processes: the broker, its messages and what waits in it."""
