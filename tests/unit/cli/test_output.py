"""Terminals get no control characters of what comes from outside."""

import click
import pytest
from click.testing import CliRunner

from cli.errors import CommandError
from cli.output import describe, print_rows, print_text

NAME = "Acme\nroot# \x1b[2J"
SHOWN = r"Acme\nroot# \x1b[2J"


@click.command()
@click.argument("form")
def command(form: str) -> None:
    if form == "table":
        print_rows([{"name": NAME}], as_json=False, empty="")
    elif form == "row":
        describe({"name": NAME})
    elif form == "text":
        print_text(f"{NAME.replace(chr(10), ' ')}")
    else:
        raise CommandError(NAME.replace("\n", " "))


@pytest.mark.parametrize("form", ["table", "row", "text", "error"])
def test_names_are_escaped(form: str) -> None:
    output = CliRunner().invoke(command, [form]).output
    assert "\x1b" not in output
    expected = SHOWN if form in ("table", "row") else SHOWN.replace(r"\n", " ")
    assert expected in output
