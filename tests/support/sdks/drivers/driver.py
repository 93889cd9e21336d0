"""What the drivers in Python share: calls in, and what became of them out.

The first line of standard input is a JSON object with `url`, `key` and `calls`. When the SDK is
ready, the driver says so, and begins at the second line. It prints one JSON object a line.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import requests

Call = dict[str, Any]
MakesCall = Callable[[Call], str | None]
Flushes = Callable[[], Any]

_answers: Counter[str] = Counter()


def _counting(send: Callable[..., Any]) -> Callable[..., Any]:
    """Count the answers to requests, and those without an answer."""

    def counted(*arguments: Any, **options: Any) -> Any:
        try:
            answer = send(*arguments, **options)
        except Exception:
            _answers["none"] += 1
            raise
        _answers[str(answer.status_code)] += 1
        return answer

    return counted


def tell(**what: Any) -> None:
    """Print one line for the test."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def lost(error: object, batch: list[dict[str, Any]]) -> None:
    """Report calls that the SDK says it has given up: the `on_error` of the SDKs."""
    for message in batch:
        tell(n=_number(message), lost=repr(error))


def _number(message: dict[str, Any]) -> int:
    properties = message.get("properties", {})
    places = (
        message.get("$set"),
        properties.get("$group_set"),
        message.get("traits"),
        message.get("context", {}).get("traits"),
        properties,
    )
    return next(int(fields["call"]) for fields in places if fields)


def drive(start: Callable[[str, str], tuple[MakesCall, Flushes]]) -> None:
    """Make each call at its time, flush, and report.

    `start` takes the address and the key; it returns what makes a call and returns its id, and what
    flushes.
    """
    requests.Session.send = _counting(requests.Session.send)  # type: ignore[method-assign]
    given = json.loads(sys.stdin.readline())
    make, flush = start(given["url"], given["key"])
    tell(ready=True)
    sys.stdin.readline()
    began = time.monotonic()
    for call in given["calls"]:
        time.sleep(max(0.0, began + call["after"] - time.monotonic()))
        at = time.time()
        tell(n=call["n"], at=at, id=make(call))
    flush()
    tell(answers=_answers)
