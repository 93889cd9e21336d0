"""Conditions on the fields and columns of companies, and the values that there are."""
