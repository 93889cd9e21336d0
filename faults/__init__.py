"""`make faults`: the product under load, with faults on purpose and an account of every event."""
