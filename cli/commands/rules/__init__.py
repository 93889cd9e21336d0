"""`brazebee rules`: checking, testing, applying and rolling back health rules."""
