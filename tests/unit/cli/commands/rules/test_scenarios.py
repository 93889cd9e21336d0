import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.commands.rules import scenarios

RULES = """\
version: 1
events: {login: }
flags:
  - flag: Logins
    event: login
    when: {At Risk: no activity for 7 days}
"""
TESTS = """\
rules: rules.yaml
tests:
  - test: Silence
    events: [{at: 0 days, event: login}]
    expect:
      - {at: 6 days, status: Healthy}
      - {at: 7 days, status: At Risk}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "rules.test.yaml").write_text(TESTS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(scenarios.test_rules, arguments)


@pytest.mark.parametrize("file", ["rules.yaml", "rules.test.yaml"])
def test_passed_tests_are_listed(folder: Path, file: str) -> None:
    result = run(file)
    assert (result.exit_code, result.output) == (0, "Silence ... ok\n1 of 1 test passed.\n")


def test_a_failed_test_is_listed_with_its_line(folder: Path) -> None:
    (folder / "rules.yaml").write_text(RULES.replace("7 days", "8 days"), encoding="utf-8")
    result = run("rules.yaml")
    assert result.exit_code == 1
    assert result.output == (
        "Silence ... FAILED\n"
        "  rules.test.yaml:7: at 7 days: expected status At Risk, but it is Healthy;"
        " Logins: Healthy because none of its conditions is met"
        " (No activity for 8 days: activity)\n"
        "0 of 1 test passed, 1 failed.\n"
    )


def test_json_lists_every_test(folder: Path) -> None:
    text = TESTS.replace("At Risk", "Critical") + TESTS.split("tests:\n")[1].replace("nce", "nt")
    (folder / "rules.test.yaml").write_text(text, encoding="utf-8")
    result = run("rules.yaml", "--json")
    report = json.loads(result.output)
    assert result.exit_code == 1
    assert (report["file"], report["passed"], report["failed"]) == ("rules.test.yaml", 1, 1)
    assert [(test["test"], test["line"], test["passed"]) for test in report["tests"]] == [
        ("Silence", 3, False),
        ("Silent", 8, True),
    ]
    assert report["tests"][0]["failures"][0]["line"] == 7


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("rules.test.yaml", "tests: []", "rules.test.yaml:1:1: the file lacks `rules`"),
        ("rules.test.yaml", TESTS.replace("login", "logn"), "rules.test.yaml:4:34: the event"),
        ("rules.test.yaml", TESTS.replace("rules.yaml", "x.yaml"), "x.yaml cannot be read: No"),
        ("rules.yaml", RULES.replace("flags", "flag"), "rules.yaml:3:1: `flag` is not known"),
        ("other.yaml", RULES, "other.yaml has no tests; write them into other.test.yaml."),
    ],
)
def test_an_invalid_file_is_refused(folder: Path, file: str, text: str, message: str) -> None:
    (folder / file).write_text(text, encoding="utf-8")
    result = run(file)
    assert result.exit_code == 1
    assert message in result.output


def test_a_missing_file_is_refused(folder: Path) -> None:
    result = run("gone.yaml")
    assert (result.exit_code, result.output) == (
        1,
        "gone.yaml cannot be read: No such file or directory.\n",
    )
