"""An event as clients send it: its shape, its validation, and the message that it becomes."""
