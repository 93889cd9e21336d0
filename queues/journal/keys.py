"""The names of the journal's keys in Redis.

They share a hash tag, as one script reads and writes several of them.
"""

PREFIX = "brazebee:{events}:"

READY = f"{PREFIX}ready"
"""Sorted set of lanes with entries, by the time from which a worker may take them, in ms."""

LEASES = f"{PREFIX}leases"
"""Hash from a lane that a worker has taken to the number of its lease."""

LEASE_NUMBER = f"{PREFIX}lease_number"
"""The number of the latest lease."""

BELL = f"{PREFIX}bell"
"""List that workers block on: an element is pushed when a lane becomes ready."""

ENTRIES = f"{PREFIX}journal:"
"""With the name of a lane: stream of its entries."""

HELD = f"{PREFIX}held:"
"""With the id of an organization: set of its companies that have a lane of their own."""
