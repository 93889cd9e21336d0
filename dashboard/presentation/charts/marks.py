"""What charts of any kind have beside their axes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """A text beside an axis, and where."""

    at: float
    text: str
