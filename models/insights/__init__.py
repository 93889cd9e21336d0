"""Slow aggregate queries over all companies of an organization, and their stored answers."""
