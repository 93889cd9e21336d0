"""Sends what is in the spool, in the background."""
