"""The running product of a benchmark, and its initial data."""
