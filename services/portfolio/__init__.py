"""The figures of an organization over time, and who owns the companies that are at risk."""
