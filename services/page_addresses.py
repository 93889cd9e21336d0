"""How paths of dashboard pages encode names and ids of clients.

`dashboard.web.addresses` reads them.

A slash is quoted twice: servers unquote once before they route, and browsers resolve dots even when
they are quoted once.
"""

from urllib.parse import quote

QUOTED = (("%25", "%"), ("%2F", "/"), ("%5C", "\\"), ("%2E", "."))
"""The percent sign comes first, so that the other replacements are not quoted again."""


def quote_once(text: str) -> str:
    """Return a text without what a segment of a path cannot contain; URLs quote the rest."""
    for quoted, plain in QUOTED:
        if plain != "." or not text.strip("."):
            text = text.replace(plain, quoted)
    return text


def segment(text: str) -> str:
    """Return a text as a segment of a path."""
    return quote(quote_once(text), safe="")
