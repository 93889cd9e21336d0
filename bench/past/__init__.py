"""Imports of the past."""
