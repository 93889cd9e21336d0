"""Static files, each under an address that changes with its content, so that browsers keep them."""

import functools
import hashlib
from pathlib import Path
from typing import Any

from flask import Flask

from dashboard.access import everybody


def versioned_static_files(app: Flask) -> None:
    """Let `url_for("static", filename=...)` name the content's version too."""
    folder = Path(app.root_path) / "static"

    @functools.cache
    def version(filename: str) -> str:
        return hashlib.sha256((folder / filename).read_bytes()).hexdigest()[:12]

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            values.setdefault("v", version(values["filename"]))

    @app.get("/favicon.ico")
    @everybody
    def favicon() -> Any:
        return app.send_static_file("icon.svg")
