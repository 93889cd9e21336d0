"""Lanes: the parts of a queue, each handled in order by one worker at a time.

The companies of an organization are spread over four partitions, so that a large organization can
keep several workers busy. A company whose events cannot be stored for the moment, because somebody
has locked its row, gets a lane of its own, so that the others in its partition need not wait.

What names a user and not their company is in one further lane, since it may be about any company.
"""

from hashlib import md5
from typing import NamedTuple

PARTITIONS = 4
"""Lanes of an organization. Entries of the journal outlive a deploy, so the number stays."""

UNRESOLVED = PARTITIONS
"""The number of the lane for what names no company."""

LANES = PARTITIONS + 1
"""The partitions of an organization, and its lane for what names no company."""


class Lane(NamedTuple):
    """A partition of an organization, or one company of it.

    `partition` is `UNRESOLVED` for what names no company.
    """

    organization_id: int
    partition: int
    company: str | None = None

    @property
    def name(self) -> str:
        """Return its name in Redis."""
        partition = f"{self.organization_id}:{self.partition}"
        return partition if self.company is None else f"{partition}:{self.company}"

    @classmethod
    def of_company(cls, organization_id: int, company: str | None) -> "Lane":
        """Return the lane of a company, which is named by the client's own id; None is no name."""
        return cls(organization_id, partition_of(company))

    @classmethod
    def named(cls, name: str) -> "Lane":
        """Return the lane with this name in Redis."""
        organization_id, partition, *company = name.split(":", 2)
        return cls(int(organization_id), int(partition), company[0] if company else None)


NOBODY = Lane(0, 0)
"""For what belongs to no organization as far as can be read."""


def partition_of(company: str | None) -> int:
    """Return the number of a company's partition; `models.companies.partitions` has it in SQL.

    What names no company is in `UNRESOLVED`.
    """
    if company is None:
        return UNRESOLVED
    return int(md5(company.encode(), usedforsecurity=False).hexdigest()[:8], 16) % PARTITIONS
