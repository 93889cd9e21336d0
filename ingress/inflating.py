"""Inflates compressed bodies, never further than they may be large."""

import zlib

from ingress.strict_json import UnreadableBody

_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS

ENCODINGS = {"gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""What zlib may find under each `Content-Encoding`; some clients send deflate without its frame."""


def inflate(sent: bytes, encoding: str, most: int) -> bytes:
    """The first `most` bytes of what was compressed; all of it, if that is less.

    Raises:
        UnreadableBody: it is damaged, breaks off, or is followed by more.
    """
    for window_bits in ENCODINGS[encoding]:
        inflating = zlib.decompressobj(window_bits)
        try:
            body = inflating.decompress(sent, most)
        except zlib.error:
            continue
        if len(body) < most and not inflating.eof:
            raise UnreadableBody(f"the {encoding} data breaks off")
        if inflating.unused_data:
            raise UnreadableBody(f"more follows the {encoding} data")
        return body
    raise UnreadableBody(f"the body is no {encoding} data, or damaged")
