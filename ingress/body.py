"""Reads a request body as strict JSON: what a worker could not store is refused here."""

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

DEEPEST = 10
"""Levels of nesting that an event may have, the outermost object included."""


LONGEST_STEP = 200
"""Characters of a key that are repeated in the path of a fault."""

_MEMBER = re.compile(rb'"\s*:')
"""What every member of an object has at the end of its key; strings may hold more of them."""


class UnreadableBody(Exception):
    """Raised when a body is not JSON as RFC 8259 has it, or repeats a key."""


def read_json(body: bytes) -> Any:
    """Parse a body, refusing NaN, lone surrogates, invalid UTF-8 and repeated keys.

    Raises:
        UnreadableBody: with the place and kind of the fault.
    """
    try:
        value = orjson.loads(body)
        if len(_MEMBER.findall(body)) != _members(value):
            json.loads(body, object_pairs_hook=_refuse_repeated_keys)
    except _RepeatedKey as error:
        raise UnreadableBody(f"the key {error} stands twice in one object") from None
    except orjson.JSONDecodeError as error:
        raise UnreadableBody(str(error)) from None
    except (RecursionError, ValueError) as error:
        raise UnreadableBody(f"unreadable JSON: {error}") from None
    return value


def plainly_storable(body: bytes) -> bool:
    """Whether the bytes alone show that nothing in them has `storage_faults`: nearly always."""
    return body.count(b"{") + body.count(b"[") <= DEEPEST and b"\\u0000" not in body


def storage_faults(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[dict[str, Any]]:
    """Faults of values that JSON allows and the database does not: NUL, and too deep nesting."""
    if isinstance(value, str):
        if "\x00" in value:
            yield {"path": list(path), "message": "NUL characters are not allowed"}
        return
    if not isinstance(value, dict | list):
        return
    if len(path) >= DEEPEST:
        yield {"path": list(path), "message": f"Nested more than {DEEPEST} levels deep"}
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from storage_faults(item, (*path, index))
        return
    for key, item in value.items():
        if "\x00" in key:
            yield {"path": list(path), "message": "NUL characters are not allowed in keys"}
        yield from storage_faults(item, (*path, key[:LONGEST_STEP]))


def _members(value: Any) -> int:
    """How many members all objects in a value have; fewer than were written if a key repeats."""
    members, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            members += len(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return members


class _RepeatedKey(ValueError):
    pass


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise _RepeatedKey(json.dumps(key))
        seen.add(key)
