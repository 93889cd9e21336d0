"""Tests run with the versions of libraries that users install."""

import re

from config.files import ROOT


def locked(file: str) -> dict[str, str]:
    """Return the version of each library in a file of locked ones."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", text, re.MULTILINE))


def test_tests_run_with_the_versions_that_are_installed() -> None:
    installed = locked("requirements.txt")
    assert installed
    assert installed.items() <= locked("requirements-dev.txt").items()
