"""The list of companies and its saved views."""
