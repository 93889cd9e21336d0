"""Data and requests for the benchmark of pages."""
