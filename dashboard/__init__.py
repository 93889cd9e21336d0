"""The dashboard: the pages on which people see customer health and change its rules."""
