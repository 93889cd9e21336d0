"""Tests mirror the packages, and folders and test files stay small."""

import os
from collections import Counter
from pathlib import Path

import pytest

from config.files import ROOT

MOST_MODULES = 15
"""Python files in one folder."""

MOST_TEST_LINES = 400

WITHOUT_A_PACKAGE = {Path("rules/oracle")}
"""Folders without a package: a second implementation of the rules, to compare the first with."""

PACKAGES = sorted(path.parent for path in ROOT.glob("*/__init__.py"))
TESTS = ROOT / "tests"


def python_files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


@pytest.mark.parametrize("kind", ["unit", "integration"])
def test_folders_of_tests_mirror_the_packages(kind: str) -> None:
    folders = {path.parent.relative_to(TESTS / kind) for path in python_files(TESTS / kind)}
    assert {folder for folder in folders if not (ROOT / folder).is_dir()} <= WITHOUT_A_PACKAGE


def test_no_folder_has_too_many_modules() -> None:
    modules = Counter(path.parent.relative_to(ROOT) for path in python_files(*PACKAGES, TESTS))
    assert {str(folder): n for folder, n in modules.items() if n > MOST_MODULES} == {}


def test_no_test_file_is_too_long() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files(TESTS)
    }
    assert {name: number for name, number in lines.items() if number > MOST_TEST_LINES} == {}


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
@pytest.mark.xdist_group("one process")
def test_the_tests_of_a_group_run_in_one_process(request: pytest.FixtureRequest) -> None:
    """pytest-xdist reads the group from the node id, and spreads the tests if it is missing."""
    assert request.node.nodeid.endswith("@one process")
