"""Refuses what PostgreSQL cannot take, before any page looks at it."""

from flask import Flask, abort, request

LARGEST = 2**31 - 1


def number(text: str) -> int:
    """A number that the database can hold.

    Raises:
        ValueError: it is none.
    """
    read = int(text)
    if not 0 <= read <= LARGEST:
        raise ValueError(text)
    return read


def refuse_what_cannot_be_stored(app: Flask) -> None:
    """Answer 400 to a NUL character in an address or a form: no text in PostgreSQL holds one."""

    @app.before_request
    def look() -> None:
        entered = [request.path, *request.args.values(), *request.form.values()]
        if any("\0" in text for text in entered):
            abort(400)


def place() -> str | None:
    """What an earlier page gave for it; None for the beginning."""
    return request.args.get("after") or None
