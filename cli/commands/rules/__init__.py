"""`brazebee rules`: writing, trying, applying and undoing health rules."""
