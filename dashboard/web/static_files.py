"""Static files, each at a URL that changes with its content, so that browsers can cache it."""

import functools
import hashlib
from pathlib import Path
from typing import Any

from flask import Flask

from dashboard.access import public


def version_static_files(app: Flask) -> None:
    """Make `url_for("static", filename=...)` add a version, and serve `/favicon.ico`."""
    folder = Path(app.root_path) / "static"

    @functools.cache
    def version(filename: str) -> str:
        return hashlib.sha256((folder / filename).read_bytes()).hexdigest()[:12]

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            values.setdefault("v", version(values["filename"]))

    @app.get("/favicon.ico")
    @public
    def favicon() -> Any:
        return app.send_static_file("icon.svg")
