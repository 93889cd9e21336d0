"""Outcomes of companies, and how well flags warned of those that left."""
