"""The fields that lists show to the team: `team`."""

import pytest

from rules.file.rule_file import check_rules, read_rules
from rules.team import NO_TEAM, TeamFields


def faults(team: str) -> list[str]:
    return [fault.message for fault in check_rules(f"version: 1\nteam: {team}\n").faults]


def test_each_field_of_the_team_is_optional() -> None:
    assert read_rules("version: 1").team == NO_TEAM
    assert read_rules("version: 1\nteam: {}").team == NO_TEAM
    text = "version: 1\nteam: {owner: company.csm, value: company.contract.arr}"
    assert read_rules(text).team == TeamFields(("csm",), ("contract", "arr"))


@pytest.mark.parametrize(
    ("team", "expected"),
    [
        ("company.csm", "`team` must be a mapping (`name: value` lines), not `company.csm`"),
        ("{valu: company.arr}", "`valu` is not known in `team`; did you mean `value`?"),
        ("{owner: }", "`owner` must not be empty"),
        ("{owner: [a]}", "`owner` must be a text, not a list"),
        (
            "{owner: csm}",
            "`csm` is not a field of the company; write for example `company.csm`",
        ),
        (
            "{renewal: company.}",
            "`company.` is not a field of the company; write for example `company.renewal_date`",
        ),
        (
            "{value: company..arr}",
            "`company..arr` is not a field of the company; write for example `company.arr`",
        ),
        (
            "{value: user.arr}",
            "`user.arr` is not a field of the company; write for example `company.arr`",
        ),
    ],
)
def test_a_fault_says_what_is_wrong_with_a_field(team: str, expected: str) -> None:
    assert faults(team) == [expected]
