import json
from pathlib import Path

import pytest

from bench.figures import Figure, show, write


def test_a_ratio_at_its_target_meets_it() -> None:
    assert Figure("ingress", 600.0, "requests/s", "view", 0.6, 0.6).met is True
    assert Figure("ingress", 599.0, "requests/s", "view", 0.599, 0.6).met is False


def test_a_value_without_a_ratio_is_itself_compared() -> None:
    assert Figure("p50", 90.0, "ms", target=100, at_most=True).met is True
    assert Figure("p50", 101.0, "ms", target=100, at_most=True).met is False


def test_a_figure_without_target_is_neither_met_nor_missed() -> None:
    assert Figure("view", 12_800.0, "requests/s").met is None


def test_the_table_marks_a_missed_target(capsys: pytest.CaptureFixture[str]) -> None:
    show("All", [Figure("ingress", 599.0, "requests/s", "view", 0.599, 0.6)])
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.split() == ["ingress", "599", "requests/s", "view", "0.60", "≥", "0.6", "NO"]


def test_json_contains_every_figure(tmp_path: Path) -> None:
    file = tmp_path / "new" / "figures.json"
    write(file, [Figure("p50", 90.0, "ms", target=100, at_most=True)])
    [figure] = json.loads(file.read_text())
    assert (figure["name"], figure["value"], figure["met"]) == ("p50", 90.0, True)
