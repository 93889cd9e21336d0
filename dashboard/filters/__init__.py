"""Filters of companies in query strings, the same for pages, exports and the read API."""
