"""The headers of a request, however it was parsed."""

from typing import Protocol


class Headers(Protocol):
    """The headers of a request, by their names in lower case."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a header; None if it is missing."""
