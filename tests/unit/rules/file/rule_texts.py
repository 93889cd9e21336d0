"""Texts of rule files for tests, and the faults found in a text."""

from rules.faults import RuleFileError
from rules.file.rule_file import read_rules

WHOLE = """\
version: 1
statuses: [Good, Poor, Bad]
events:
  login: {name: Signed in}
  export:
  old: {enabled: false}
defaults: {new_company: wait 1 hour}
flags:
  - flag: Logs in
    event: login
    when:
      Poor: less than 5 times in 7 days
      Bad: no activity for 7 days
    new_company: judge at once
    where: {data.source: web, data.size: [1, 2.5, true, null, "1"]}
    note: Five a week.
"""
TWO_FLAGS = """\
version: 1
statuses: [Healthy, At Risk, Critical]
events:
  login: {name: Signed in}
  report: {name: Report created}
  old: {enabled: false}
defaults: {new_company: judge at once}
flags:
  - flag: Reports
    event: report
    when:
      At Risk: less than 5 times in 7 days
      Critical: less than 1 time in 7 days
    recover: at least 7 times in 7 days
    note: Five a week.
  - flag: Gone quiet
    event: any
    when: {At Risk: no activity for 14 days}
"""

MAPPING = "a mapping (`name: value` lines)"
NEW_COMPANY = ": for example `judge at once` or `wait 7 days`"
FLAG_KEYS = (
    "`flag`, `enabled`, `event`, `when`, `recover`, `for`, `new_company`, `where`, `applies_to`,"
    " `if_missing`, `ignore_if`, `weight` and `note`"
)


def faults(text: str) -> list[str]:
    """Return the faults of a file as `line:column: message`."""
    try:
        read_rules(text, file="f")
    except RuleFileError as error:
        return [line.removeprefix("f:") for line in error.lines()]
    return []


def assert_faults(good: str, bad: str, expected: list[str]) -> None:
    """Replace the only occurrence of a text in `WHOLE`, and compare the faults."""
    assert WHOLE.count(good) == 1
    assert faults(WHOLE.replace(good, bad)) == expected
