"""Records as lines: a checksum, a length, the content. A reader finds its way after any damage."""

from __future__ import annotations

from zlib import crc32


def framed(content: bytes) -> bytes:
    """Return the line of a content, which has no line feed."""
    return b"%08x %d %b\n" % (crc32(content), len(content), content)


def content_of(line: bytes) -> bytes | None:
    """Return the content of a line without its line feed; None if the line is damaged."""
    checksum, _, rest = line.partition(b" ")
    length, _, content = rest.partition(b" ")
    try:
        is_whole = int(length) == len(content) and int(checksum, 16) == crc32(content)
    except ValueError:
        return None
    return content if is_whole else None
