"""Parses a request body as strict JSON and finds values that the database cannot store."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from ingress.errors import IngressError

DEEPEST = 10
"""Levels of nesting of an event, including the outermost object."""

LONGEST_STEP = 200
"""Characters of a key that appear in the path of a fault."""

_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
"""With all digits as zeros and without blanks, a body can be searched for fixed bytes. That takes a
sixth of the time of a regular expression."""

_BLANKS = b" \t\n\r"

_END_OF_KEY = b'":'
"""Every member of an object has this; strings may contain more."""

_LONG_NUMBER = b"0" * 19
"""Integers beyond 64 bits have this; strings, fractions and smaller integers may."""

LEAST_INTEGER, GREATEST_INTEGER = -(2**63), 2**64 - 1
"""Others would be rounded on their way into the database."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""May be ignored by RFC 8259, and some clients send it."""


class UnreadableBody(IngressError):
    """Raised when a body is not JSON according to RFC 8259, or repeats a key."""


class Json(NamedTuple):
    """A parsed body, its size in bytes, and properties that decide whether it can be stored."""

    value: Any
    size: int
    levels: int
    may_hold_others: bool

    def is_storable(self, levels_around: int = 0) -> bool:
        """Whether it certainly has no `storage_faults`; `levels_around` do not count as nesting."""
        return self.levels <= DEEPEST + levels_around and not self.may_hold_others


def read_json(body: bytes) -> Json:
    """Parse a body, refusing NaN, lone surrogates, invalid UTF-8 and repeated keys.

    Raises:
        UnreadableBody: with the position and kind of the fault.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    plain = body.translate(_DIGITS_AS_ZEROS, _BLANKS)
    has_long_numbers = _LONG_NUMBER in plain
    try:
        value = orjson.loads(body)
        levels, members = _measure(value)
        if plain.count(_END_OF_KEY) != members:
            json.loads(body, object_pairs_hook=_refuse_repeated_keys)
        if has_long_numbers:
            value = json.loads(body)  # with exact integers
    except _RepeatedKey as error:
        raise UnreadableBody(f"the key {error} stands twice in one object") from None
    except orjson.JSONDecodeError as error:
        raise UnreadableBody(str(error)) from None
    except (RecursionError, ValueError) as error:
        raise UnreadableBody(f"unreadable JSON: {error}") from None
    return Json(value, len(body), levels, has_long_numbers or b"\\u0000" in body)


def storage_faults(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[dict[str, Any]]:
    """Yield values that JSON allows and the database does not.

    These are NUL characters, integers beyond 64 bits, and too deep nesting.
    """
    if type(value) is int and not LEAST_INTEGER <= value <= GREATEST_INTEGER:
        yield {"path": list(path), "message": "An integer has at most 64 bits; send it as a string"}
        return
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
    """Return the levels and the members of a value: repeated keys of the text count once."""
    levels = members = 0
    level = [value]
    while level := [item for item in level if type(item) is dict or type(item) is list]:
        levels += 1
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                members += len(item)
                below += item.values()
            else:
                below += item
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
