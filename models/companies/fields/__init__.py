"""Fields of companies and users: merged, recognized by digest, their names and history."""
