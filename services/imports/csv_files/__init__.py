"""Reads CSV files: their encoding, their columns, and the types of their values."""
