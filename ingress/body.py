"""Checks the body of a request, and inflates it."""

import zlib

from flask import Request
from werkzeug.http import parse_options_header

from ingress.client.answers import JSON
from ingress.client.errors import ApiError
from ingress.client.headers import Headers
from ingress.strict_json import UnreadableBody


def read(request: Request, largest: int) -> bytes:
    """Return the body of a request to Flask; of one that is too large, not more than that shows."""
    if (request.content_length or 0) > largest:
        return b""
    body: bytes = request.stream.read(largest + 1)
    return body


def check_body(
    body: bytes, headers: Headers, what: str, largest: int, *, any_type: bool = False
) -> bytes | UnreadableBody:
    """Return the body of a request, at most `largest` bytes both compressed and inflated.

    `what` names it in messages. A fault of compressed data is returned, so that it is reported at
    the point where the JSON would be parsed. With `any_type`, the headers need not say that it is
    JSON, nor that it is compressed: some SDKs say otherwise.

    Raises:
        ApiError: it is too large, not sent as JSON, or in an unknown encoding.
    """
    if _length(headers) > largest:
        raise _too_large(what, largest)
    content_type = headers.get("content-type")
    if content_type != JSON and not any_type and not _is_json(content_type):
        raise _unsupported("Send the event as JSON, with Content-Type: application/json")
    encoding = headers.get("content-encoding")
    encoding = "identity" if encoding is None else encoding.lower()
    if any_type and encoding == "identity" and body.startswith(GZIP_MAGIC):
        encoding = "gzip"
    if encoding != "identity" and encoding not in ENCODINGS:
        raise _unsupported("Send the body with Content-Encoding gzip or deflate, or without any")
    if len(body) <= largest and encoding != "identity":
        try:
            body = inflate(body, encoding, largest + 1)
        except UnreadableBody as error:
            return error
    if len(body) > largest:
        raise _too_large(what, largest)
    return body


def _length(headers: Headers) -> int:
    try:
        return int(headers.get("content-length") or 0)
    except ValueError:
        return 0


def _is_json(content_type: str | None) -> bool:
    """Whether a media type is JSON, or one that is written in JSON (RFC 6839)."""
    media_type = parse_options_header(content_type)[0].lower()
    return media_type == JSON or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _too_large(what: str, largest: int) -> ApiError:
    message = f"{what} is at most {largest // 1024} KB"
    return ApiError(413, "Request body too large", [{"message": message}])


def _unsupported(message: str) -> ApiError:
    return ApiError(415, "Unsupported media type", [{"message": message}])


GZIP_MAGIC = b"\x1f\x8b\x08"
"""What gzip data begins with, and JSON cannot."""

_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS

ENCODINGS = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""The formats of each `Content-Encoding`: some clients send deflate without the zlib header."""


def inflate(sent: bytes, encoding: str, most: int) -> bytes:
    """Return the first `most` bytes of the inflated data, which may be of several members of gzip.

    Raises:
        UnreadableBody: the data is damaged, truncated, or followed by more.
    """
    for window_bits in ENCODINGS[encoding]:
        try:
            body, rest = _member(sent, window_bits, encoding, most)
        except zlib.error:
            continue
        while rest and window_bits == _GZIP and len(body) < most:
            try:
                more, rest = _member(rest, window_bits, encoding, most - len(body))
            except (UnreadableBody, zlib.error):
                break
            body += more
        if rest and len(body) < most:
            raise UnreadableBody(f"more follows the {encoding} data")
        return body
    raise UnreadableBody(f"the body is no {encoding} data, or damaged")


def _member(sent: bytes, window_bits: int, encoding: str, most: int) -> tuple[bytes, bytes]:
    """Return the first `most` bytes of inflated data, and what follows it."""
    inflating = zlib.decompressobj(window_bits)
    body = inflating.decompress(sent, most)
    if len(body) < most and not inflating.eof:
        raise UnreadableBody(f"the {encoding} data breaks off")
    return body, inflating.unused_data
