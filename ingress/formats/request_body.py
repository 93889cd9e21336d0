"""Parses the bodies of SDKs, some of which are no JSON in one call of many."""

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

from ingress.client.errors import ApiError
from ingress.event.accepting import parse
from ingress.strict_json import BYTE_ORDER_MARK, DEEPEST, Json, UnreadableBody

NO_VALUE = "NaN and infinite numbers are no JSON"
NO_TEXT = "Half of a character (a lone surrogate) cannot be stored"


def parse_leniently(body: bytes | UnreadableBody) -> Json:
    """Parse a body as `parse` does, but leave it to `value_faults` to find what is no JSON.

    Some SDKs write NaN, halves of characters and repeated keys, and that of one call must not cost
    the others. Of repeated keys, the last counts.

    Raises:
        ApiError: it is not JSON otherwise.
    """
    try:
        return parse(body)
    except ApiError:
        if isinstance(body, UnreadableBody):
            raise
        try:
            value = json.loads(body.removeprefix(BYTE_ORDER_MARK))
        except (ValueError, RecursionError):
            value = None
        if value is None:
            raise
        return Json(value, len(body), levels=0, may_hold_others=True)


def value_faults(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[dict[str, Any]]:
    """Yield the values that only `parse_leniently` accepts, as deep as a call may be nested."""
    if len(path) > DEEPEST:
        return
    if isinstance(value, float) and not isfinite(value):
        yield {"path": list(path), "message": NO_VALUE}
    elif isinstance(value, str) and not _is_text(value):
        yield {"path": list(path), "message": NO_TEXT}
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from value_faults(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            if _is_text(key):
                yield from value_faults(item, (*path, key))
            else:
                yield {"path": list(path), "message": NO_TEXT}


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
