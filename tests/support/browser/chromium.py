"""Finds Chromium; starts it headless and without requests of its own to the network."""

import os
import shutil

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

MISSING = (
    "Chromium was not found, so the pages were not tested in a browser:"
    " install it (apt-get install chromium), or set BRAZEBEE_CHROMIUM to its path"
)


def find_chromium() -> str | None:
    """Return the executable that BRAZEBEE_CHROMIUM names, or the first one on the PATH."""
    configured = os.environ.get("BRAZEBEE_CHROMIUM", "").strip()
    return configured or next(filter(None, map(shutil.which, NAMES)), None)
