"""The states of items, the lengths of their texts, and the action that reopens them."""

from enum import StrEnum


class State(StrEnum):
    """How far somebody is with an item, whatever its flag does."""

    OPEN = "open"
    SEEN = "seen"
    WORKING = "working"
    DONE = "done"

    @property
    def label(self) -> str:
        """The state as people read it."""
        return "In work" if self is State.WORKING else self.value.capitalize()


REOPENED = "reopened"
"""The action of the change that reopens a done item, because its flag became worse."""

NEXT_STEP_LENGTH = 500
"""Characters."""
