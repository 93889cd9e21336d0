"""The roles of the members of an organization."""

from enum import StrEnum


class Role(StrEnum):
    """The roles in ascending order; each one may do what those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMINISTRATOR = "administrator"

    @property
    def meaning(self) -> str:
        """A sentence about what the role allows."""
        return _MEANINGS[self]

    def includes(self, other: "Role") -> bool:
        """Whether this role may do everything that `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


_MEANINGS = {
    Role.VIEWER: "Sees everything but people and the audit log.",
    Role.EDITOR: "Also changes rules, events, snoozes and notes.",
    Role.ADMINISTRATOR: "Also changes keys, webhooks and people, and reads the audit log.",
}
