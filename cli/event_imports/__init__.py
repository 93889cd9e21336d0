"""`brazebee import events`: reads files, shares their events out by company, and stores them."""
