"""Messages to people: which are due, and the attempts to send them."""
