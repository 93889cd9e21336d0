"""What rules found, in plain English, for people who do not read rules."""
