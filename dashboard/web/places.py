"""Where in a list to go on, as the link to its next page said."""

from flask import request


def place() -> str | None:
    """What an earlier page gave for it; None for the beginning."""
    return request.args.get("after") or None
