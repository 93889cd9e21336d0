"""The roles that members of an organization have."""

from enum import StrEnum


class Role(StrEnum):
    """What a member may do, from least to most; each may do what the one before may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMINISTRATOR = "administrator"

    @property
    def meaning(self) -> str:
        """What the role allows, in a sentence."""
        return _MEANINGS[self]

    def includes(self, other: "Role") -> bool:
        """Whether whoever has this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


_MEANINGS = {
    Role.VIEWER: "Sees everything but people and the audit log.",
    Role.EDITOR: "Also changes rules, events, snoozes and notes.",
    Role.ADMINISTRATOR: "Also changes keys, webhooks and people, and reads the audit log.",
}
