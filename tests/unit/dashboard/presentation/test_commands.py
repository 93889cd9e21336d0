"""Commands that pages print name the organization if they have to."""

import re

import pytest

from config.files import ROOT
from dashboard.presentation.commands import command

TEMPLATES = ROOT / "dashboard" / "templates"


@pytest.mark.parametrize(
    ("organization", "printed"),
    [
        ("default", "brazebee import events events.csv"),
        ("acme", "brazebee import events events.csv --org acme"),
        ("A & B's", "brazebee import events events.csv --org 'A & B'\"'\"'s'"),
    ],
)
def test_a_command_names_its_organization(organization: str, printed: str) -> None:
    assert command("import events events.csv", organization) == printed


def test_pages_that_print_commands_name_the_organization_and_where_commands_run() -> None:
    printing = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
        assert not re.search(r"brazebee [a-z]", text), path
        if "command(" in text:
            printing.append(path.name)
            assert "{{ where_commands_run() }}" in text, path
    assert len(printing) >= 6
