"""The names of the keys of lane queues in Redis."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """The keys of one lane queue; they share a hash tag, as scripts use several of them."""

    name: str

    @property
    def prefix(self) -> str:
        """What every key begins with."""
        return f"brazebee:{{{self.name}}}:"

    @property
    def ready(self) -> str:
        """Sorted set of lanes with entries, by the time from which they may be taken, in ms."""
        return f"{self.prefix}ready"

    @property
    def leases(self) -> str:
        """Hash from a lane that a worker has taken to the number of its lease."""
        return f"{self.prefix}leases"

    @property
    def lease_number(self) -> str:
        """The number of the latest lease."""
        return f"{self.prefix}lease_number"

    @property
    def bell(self) -> str:
        """List that workers block on: an element is pushed when a lane becomes ready."""
        return f"{self.prefix}bell"

    @property
    def entries(self) -> str:
        """With the name of a lane: stream of its entries."""
        return f"{self.prefix}lane:"

    @property
    def held(self) -> str:
        """With the id of an organization: set of its companies that have a lane of their own."""
        return f"{self.prefix}held:"


JOURNAL = Keys("events")
"""Accepted events; a lane has those of a partition of an organization's companies."""

EVALUATIONS = Keys("evaluations")
"""Companies to evaluate; a lane has a quarter of those of an organization."""
