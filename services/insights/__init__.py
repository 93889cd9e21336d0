"""Slow aggregate queries over all companies, computed in the background and cached."""
