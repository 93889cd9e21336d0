"""Events, and the counts kept of them."""
