"""Links in texts that people write: addresses of http and https, and nothing else, become links."""

import re

from markupsafe import Markup

_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"“”]+", re.IGNORECASE)

_AFTER_AN_ADDRESS = ".,;:!?'*"
"""Characters that end the sentence rather than the address before them."""


def with_links(text: str) -> Markup:
    """Return a text as HTML, with links that do not send the address of this page."""
    parts, end = [], 0
    for match in _ADDRESS.finditer(text):
        address = _without_punctuation(match[0])
        parts += [
            Markup.escape(text[end : match.start()]),
            Markup('<a href="{0}" rel="noopener noreferrer nofollow">{0}</a>').format(address),
        ]
        end = match.start() + len(address)
    return Markup().join([*parts, Markup.escape(text[end:])])


def _without_punctuation(address: str) -> str:
    """Return an address without what follows it, such as the bracket around it."""
    while address[-1] in _AFTER_AN_ADDRESS or _closes_nothing(address):
        address = address[:-1]
    return address


def _closes_nothing(address: str) -> bool:
    """Whether an address ends with a bracket that it does not open."""
    opening = {")": "(", "]": "["}.get(address[-1])
    return opening is not None and address.count(address[-1]) > address.count(opening)
