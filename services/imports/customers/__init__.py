"""Loads companies and users from CSV files."""
