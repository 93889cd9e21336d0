"""`brazebee rules test`: runs the tests of a rule file; it needs no server."""

from pathlib import Path
from typing import Any

import click

from cli.commands.rules.files import file_argument, load_rules, read_rule_file, show_faults
from cli.errors import CommandError
from cli.output import json_option, print_json, print_text
from rules.durations import pluralize
from rules.faults import RuleFileError
from rules.scenarios.file import read_scenarios, rules_tested_by
from rules.scenarios.scenario import Failure, Scenario, run

TEST_ENDINGS = (".test.yaml", ".test.yml")

Results = list[tuple[Scenario, list[Failure]]]


@click.command("test")
@file_argument
@json_option
def test_rules(file: Path, as_json: bool) -> None:
    """Run the tests in FILE, or the tests of the rule file FILE: health.test.yaml for health.yaml.

    Exit code 1 if any test fails. Needs no running product, and changes nothing.
    """
    tests = file if file.name.endswith(TEST_ENDINGS) else _tests_beside(file)
    results = _run(tests)
    if as_json:
        print_json(_as_json(tests, results))
    else:
        _print(tests, results)
    if any(failures for _, failures in results):
        raise SystemExit(1)


def _tests_beside(rules: Path) -> Path:
    candidates = [rules.with_name(rules.stem + ending) for ending in TEST_ENDINGS]
    for tests in candidates:
        if tests.exists():
            return tests
    read_rule_file(rules)  # a missing rule file is the more useful error
    raise CommandError(f"{rules} has no tests; write them into {candidates[0]}.")


def _run(tests: Path) -> Results:
    """Run every test, and return its failures.

    Raises:
        CommandError: the test file or its rule file has faults, or cannot be read.
    """
    text = read_rule_file(tests)
    rules_name = rules_tested_by(text)
    book = load_rules(tests.parent / rules_name).book if rules_name else None
    try:
        scenarios = read_scenarios(text, book, file=str(tests))
    except RuleFileError as error:
        raise CommandError(show_faults(tests, text, error.faults)) from None
    return [(test, run(test, book)) for test in scenarios.tests] if book else []


def _as_json(tests: Path, results: Results) -> dict[str, Any]:
    return {
        "file": str(tests),
        "passed": sum(not failures for _, failures in results),
        "failed": sum(bool(failures) for _, failures in results),
        "tests": [
            {
                "test": test.name,
                "line": test.line,
                "passed": not failures,
                "failures": [vars(failure) for failure in failures],
            }
            for test, failures in results
        ],
    }


def _print(tests: Path, results: Results) -> None:
    for test, failures in results:
        verdict = click.style("FAILED", fg="red") if failures else click.style("ok", fg="green")
        click.echo(f"{test.name} ... {verdict}")
        for failure in failures:
            print_text(f"  {tests}:{failure.line}: {failure.message}")
    failed = sum(bool(failures) for _, failures in results)
    passed = f"{len(results) - failed} of {pluralize(len(results), 'test')} passed"
    click.secho(f"{passed}, {failed} failed." if failed else f"{passed}.", bold=True)
