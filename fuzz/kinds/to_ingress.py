"""Inputs for the ingress: raw bytes, JSON that is nearly an event, and headers."""

import gzip
import json
import zlib
from random import Random
from typing import Any

from bench.load.traffic import Traffic
from fuzz.exchange import request
from fuzz.hostile import damaged, encode, mutated, text, value
from fuzz.kinds import Kind
from fuzz.target import Target

TRACK, BATCH = "/v1/track", "/v1/track/batch"

HEADERS = (
    "x-api-key", "authorization", "content-type", "content-length", "content-encoding",
    "transfer-encoding", "idempotency-key", "expect", "connection", "host", "x-forwarded-for",
    "forwarded", "x_api_key", "te", "upgrade", "range", "cookie", "traceparent", "accept",
)  # fmt: skip
CONTENTS = (
    "gzip", "deflate", "br", "gzip, gzip", "identity", "chunked", "chunked, chunked",
    "100-continue", "application/json", "application/json; charset=utf-16", "text/plain",
    "close", "keep-alive, x",
    "0", "-1", "1e3", "99999999999999999999", "127.0.0.1", "Bearer ", "Basic Og==", "h2c",
)  # fmt: skip


def raw_bytes(target: Target, chance: Random) -> bytes:
    """Return bytes that are no HTTP, or a request that is damaged anywhere."""
    if chance.random() < 0.2:
        return chance.randbytes(chance.randrange(1, 3_000))
    whole = request("POST", TRACK, _headers(target), _json(chance, _event(chance)))
    return damaged(chance, whole) * chance.choice((1, 1, 1, 2))


def events(target: Target, chance: Random) -> bytes:
    """Return an event, or a batch of some, with something hostile in it; some are plainly valid."""
    if chance.random() < 0.25:
        given: Any = {"events": [_event(chance) for _ in range(chance.randrange(1, 8))]}
        path = BATCH
    else:
        given, path = _event(chance), TRACK
    for _ in range(chance.randrange(4)):
        given = mutated(chance, given)
    body, headers = _json(chance, given), _headers(target)
    match chance.randrange(12):
        case 0:
            body, headers["content-encoding"] = gzip.compress(body, mtime=0), "gzip"
        case 1:
            body, headers["content-encoding"] = zlib.compress(body), "deflate"
        case 2:
            body, headers["content-encoding"] = (
                damaged(chance, gzip.compress(body, mtime=0)),
                "gzip",
            )
        case 3:
            body = damaged(chance, body)
    return request("POST", path, headers, body)


def headers(target: Target, chance: Random) -> bytes:
    """Return an event with hostile headers."""
    given = _headers(target)
    for _ in range(chance.randrange(1, 5)):
        name = chance.choice(HEADERS)
        content = encode(chance.choice(CONTENTS) if chance.random() < 0.5 else text(chance))
        given[name] = content.replace(b"\r", b"").replace(b"\n", b"")
    return request("POST", TRACK, given, _json(chance, _event(chance)))


def _headers(target: Target) -> dict[str, str | bytes]:
    return {"x-api-key": target.send_key, "content-type": "application/json"}


def _event(chance: Random) -> dict[str, Any]:
    """Return a valid event with optional parts."""
    [made] = Traffic(("key",), companies=50).requests(1, chance.getrandbits(32))
    event: dict[str, Any] = json.loads(made.data.partition(b"\r\n\r\n")[2])
    event.pop("timestamp", None)  # it depends on the present
    if chance.random() < 0.3:
        event["timestamp"] = f"{chance.randrange(1990, 2030)}-0{chance.randrange(1, 10)}-11T10:30Z"
    if chance.random() < 0.3:
        event["event_id"] = f"event-{chance.randrange(2_000)}"
    if chance.random() < 0.2:
        event["company"][text(chance)] = value(chance)
    return event


def _json(chance: Random, given: Any) -> bytes:
    """Return JSON as UTF-8, sometimes with escapes or blanks, or in another encoding."""
    written = json.dumps(given, ensure_ascii=chance.random() < 0.3)
    match chance.randrange(20):
        case 0:
            return b"\xef\xbb\xbf" + encode(written)
        case 1:
            return encode(written.replace(":", " \n:\t"))
        case 2:
            return written.encode("utf-16", "surrogatepass")
        case 3:
            return encode(written.replace("{", '{"event_key": "login", ', 1))
        case _:
            return encode(written)


KINDS = (
    Kind("raw bytes", 0.15, raw_bytes, to_web=True, patience=0.1),
    Kind("events", 0.5, events, to_web=True),
    Kind("headers", 0.1, headers, to_web=True, patience=0.1),
)
