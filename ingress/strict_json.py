"""Reads a request body as strict JSON: what a worker could not store is refused here."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

DEEPEST = 10
"""Levels of nesting that an event may have, the outermost object included."""


LONGEST_STEP = 200
"""Characters of a key that are repeated in the path of a fault."""

_MEMBER = re.compile(rb'"\s*:')
"""What every member of an object has at the end of its key; strings may hold more of them."""


class UnreadableBody(Exception):
    """Raised when a body is not JSON as RFC 8259 has it, or repeats a key."""


class Json(NamedTuple):
    """A parsed body, its size in bytes, and what its storing depends on."""

    value: Any
    size: int
    levels: int
    may_hold_nul: bool

    def is_storable(self, levels_around: int = 0) -> bool:
        """Whether nothing in it has `storage_faults` for sure, below so many levels around it."""
        return self.levels <= DEEPEST + levels_around and not self.may_hold_nul


def read_json(body: bytes) -> Json:
    """Parse a body, refusing NaN, lone surrogates, invalid UTF-8 and repeated keys.

    Raises:
        UnreadableBody: with the place and kind of the fault.
    """
    try:
        value = orjson.loads(body)
        levels, members = _measure(value)
        if len(_MEMBER.findall(body)) != members:
            json.loads(body, object_pairs_hook=_refuse_repeated_keys)
    except _RepeatedKey as error:
        raise UnreadableBody(f"the key {error} stands twice in one object") from None
    except orjson.JSONDecodeError as error:
        raise UnreadableBody(str(error)) from None
    except (RecursionError, ValueError) as error:
        raise UnreadableBody(f"unreadable JSON: {error}") from None
    return Json(value, len(body), levels, b"\\u0000" in body)


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


def _measure(value: Any) -> tuple[int, int]:
    """The levels of a value, and its members: fewer than were written if a key repeats."""
    levels = members = 0
    level = [value]
    while level := [one for one in level if type(one) is dict or type(one) is list]:
        levels += 1
        below: list[Any] = []
        for one in level:
            if type(one) is dict:
                members += len(one)
                below += one.values()
            else:
                below += one
        level = below
    return levels, members


class _RepeatedKey(ValueError):
    pass


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise _RepeatedKey(json.dumps(key))
        seen.add(key)
