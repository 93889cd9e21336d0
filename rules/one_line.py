"""What may be written on one line: names of flags and statuses, reasons, names of views."""

JOINERS = "\u200c\u200d"
"""Characters that are invisible by themselves: emoji and some scripts are written with them."""


def is_one_line(text: str) -> bool:
    """Whether a text has no line breaks and no other character that cannot be printed."""
    return all(character.isprintable() or character in JOINERS for character in text)


def invisible_in(text: str) -> str | None:
    """Return the first character that cannot be printed, as `U+202E`; None if there is none."""
    if text.isprintable():
        return None
    for character in text:
        if not is_one_line(character):
            return f"U+{ord(character):04X}"
    return None
