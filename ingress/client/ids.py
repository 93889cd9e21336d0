"""Ids of clients in paths."""

from flask import Flask
from werkzeug.routing import BaseConverter


class IdConverter(BaseConverter):
    """A client's own id, which may contain any character, also at its beginning.

    Werkzeug's `path` knows no slash at the beginning, and no line break.
    """

    part_isolating = False
    regex = r"(?s:.+?)"


def accept_ids_in_paths(app: Flask) -> None:
    """Let the routes of an application have ids, as `<id:name>`; call it before adding them."""
    app.url_map.merge_slashes = False  # a redirect would have an HTML body
    app.url_map.converters["id"] = IdConverter
