"""`brazebee import companies`, interrupted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.unfinished import UNFINISHED
from tests.support.imports.files import Imports


def test_an_interrupted_import_begins_with_how_to_go_on(
    imports: Imports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: object) -> Iterator[object]:
        raise KeyboardInterrupt
        yield

    file = tmp_path / "companies.csv"
    file.write_text("id,name\nc1,Acme\n")
    command = ["import", "companies", str(file), "--org", imports.org, "--yes"]
    monkeypatch.setattr("cli.commands.imports.customers.load", interrupted)
    done = CliRunner().invoke(main, command, env=imports.environment)
    assert (done.exit_code, done.stderr.strip()) == (1, UNFINISHED)
    monkeypatch.undo()
    assert "1 company created" in CliRunner().invoke(main, command, env=imports.environment).output
