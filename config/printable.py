"""Texts from outside, such as names, in a line of a log or on a terminal.

A line break in a name would begin a line of the log that looks like ours, and terminals execute
control characters: they move the cursor, hide what follows, or answer as if somebody typed.
"""

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters, line breaks among them
    "\u2028\u2029"  # further line breaks
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions, which reorder what is displayed
    "\ud800-\udfff]"  # halves of characters, which cannot be encoded
)


def printable_json(text: str) -> str:
    r"""Return indented JSON with its control characters escaped as in JSON, such as `\u009f`."""
    return _UNSAFE.sub(
        lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text
    )


def printable(text: str, *, keep: str = "") -> str:
    r"""Return a text with its control characters escaped as in Python, such as `\x1b`.

    Those in `keep` stay: `"\n\t"` for a text of several lines.
    """
    return _UNSAFE.sub(
        lambda match: match[0] if match[0] in keep else match[0].encode("unicode_escape").decode(),
        text,
    )
