"""Names as people type them: case and accents do not matter."""

import unicodedata
from collections.abc import Iterable


def plain(text: str) -> str:
    """Return a text without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def as_named(text: str, names: Iterable[str]) -> str:
    """Return the one of some names that a text means; the text itself if it means none."""
    names = list(names)
    if text in names:
        return text
    return next((name for name in names if plain(name) == plain(text)), text)
