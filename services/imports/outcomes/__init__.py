"""Loads outcomes of companies from CSV files."""
