"""`brazebee import`: events, companies and users from files."""
