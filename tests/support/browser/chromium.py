"""Where Chromium is, and how it is started: headless, and without a word to anybody else."""

import os
import shutil

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

MISSING = (
    "no Chromium was found: name one with BRAZEBEE_CHROMIUM, or install it"
    " (apt-get install chromium); the pages were not tried in a browser"
)


def find_chromium() -> str | None:
    """The executable that the environment names, or the first on the PATH."""
    named = os.environ.get("BRAZEBEE_CHROMIUM", "").strip()
    return named or next(filter(None, map(shutil.which, NAMES)), None)
