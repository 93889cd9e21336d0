"""Companies and users: fields and their history, lists, notes and timelines."""
