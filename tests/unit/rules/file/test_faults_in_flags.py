"""Faults of flags: their keys, phrases and filters."""

import pytest

from rules.file.source import LARGEST_FILE
from tests.unit.rules.file.rule_texts import MAPPING, NEW_COMPANY, WHOLE, assert_faults

ANY_PHRASE = (
    "write for example `less than 5 times in 7 days`, `no activity for 7 days`,"
    " `company.nps below 7`"
)
PHRASE_FOR_EACH = (
    "`when` needs a phrase for each status; write for example"
    " `At Risk: less than 5 times in 7 days`"
)


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        pytest.param(
            WHOLE,
            "version: 1\nflags:\n  - Logs in\n",
            [f"3:5: a flag must be {MAPPING}, not `Logs in`"],
            id="a word where a flag belongs",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags:\n  - note: nothing else\n",
            [
                "3:5: a flag lacks `flag`",
                "3:5: a flag lacks `when`",
            ],
            id="a flag without its keys",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags: &a\n  - *a\n",
            ["3:5: what starts with `*` is a part of itself here"],
            id="a list that is a part of itself",
        ),
        pytest.param(
            "flag: Logs in", "flag: ''", ["9:11: `flag` must not be empty"], id="empty name"
        ),
        pytest.param(
            "flag: Logs in",
            f"flag: {'x' * 201}",
            ["9:11: `flag` must be at most 200 characters on one line"],
            id="long name",
        ),
        pytest.param(
            "flag: Logs in",
            'flag: "Logs\\nin"',
            ["9:11: `flag` must be at most 200 characters on one line"],
            id="name of two lines",
        ),
        pytest.param(
            "flag: Logs in",
            'flag: "Logs \\u202E in"',
            ["9:11: `flag` must not have invisible characters, such as U+202E here"],
            id="name with an invisible character",
        ),
        pytest.param(
            "note: Five a week.",
            "note: [Five]",
            ["16:11: `note` must be a text, not a list"],
            id="a list where a note belongs",
        ),
        pytest.param(
            "      Poor:",
            "      poor:",
            ["12:7: the status `poor` is not known; did you mean `Poor`?"],
            id="status in another case",
        ),
        pytest.param(
            "      Poor:",
            "      Dreadful:",
            ["12:7: the status `Dreadful` is not known; known are `Poor` and `Bad`"],
            id="unknown status",
        ),
        pytest.param(
            "      Poor:",
            "      Good:",
            ["12:7: `Good` means that nothing is raised; it takes no phrase"],
            id="a phrase for the best status",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            "Poor: less then 5 times in 7 days",
            ["12:18: `then` is not understood here; did you mean `than`?"],
            id="bad phrase",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            'Poor: "less then 5 times in 7 days"',
            ["12:19: `then` is not understood here; did you mean `than`?"],
            id="bad phrase in double quotes",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            "Poor: 'less than 5 times in 7 dayz'",
            ["12:37: `dayz` is not understood here; did you mean `days`?"],
            id="bad phrase in single quotes",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            "Poor: 5",
            [f"12:13: `5` is not understood here, {ANY_PHRASE}"],
            id="a number where a phrase belongs",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            "Poor: [less than 5 times in 7 days]",
            ["12:13: the phrase for `Poor` must be a text, not a list"],
            id="a list where a phrase belongs",
        ),
        pytest.param(
            "new_company: judge at once",
            "new_company: later",
            ["14:18: `later` is not understood here, expected `judge` or `wait`" + NEW_COMPANY],
            id="bad new_company",
        ),
        pytest.param(
            "{new_company: wait 1 hour}",
            '{new_company: "wait 1 hoor"}',
            ["7:33: `hoor` is not understood here; did you mean `hours`?"],
            id="bad default of new_company",
        ),
        pytest.param(
            "{data.source: web,",
            "{source: web, data: web, data..x: 1, data.x.: 1, company.plan: Pro,",
            [
                f"15:{column}: `{field}` is not in the event's `data`;"
                " write for example `data.source`"
                for column, field in (
                    (13, "source"),
                    (26, "data"),
                    (37, "data..x"),
                    (49, "data.x."),
                    (61, "company.plan"),
                )
            ],
            id="where that names no field of the event",
        ),
        pytest.param(
            "data.source: web",
            "data.source: []",
            ["15:26: the list of `data.source` is empty, so nothing would match"],
            id="where with an empty list",
        ),
        pytest.param(
            "data.source: web",
            "data.source: {is: web}",
            [f"15:26: the value of `data.source` must be a single value, not {MAPPING}"],
            id="where with a mapping as value",
        ),
        pytest.param(
            "data.source: web",
            "data.source: [web, [api]]",
            ["15:32: the value of `data.source` must be a single value, not a list"],
            id="where with a list in a list",
        ),
        pytest.param(
            "{data.source: web,",
            "[data.source, web,",
            ["15:12: a list is opened here with `[` and lacks its `]` or a comma"],
            id="mismatched brackets",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags:\n  - {flag: A, event: any, when: {At Risk: no activity for 1 day},"
            " where: [web]}\n",
            [f"3:74: `where` must be {MAPPING}, not a list"],
            id="a list where a where belongs",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags:\n  - {flag: A, event: any, when: no activity for 1 day}\n",
            [
                "3:33: " + PHRASE_FOR_EACH,
            ],
            id="a phrase without its status",
        ),
        pytest.param(
            WHOLE,
            "#" * (LARGEST_FILE + 1),
            ["1:1: the file is larger than 200,000 characters"],
            id="too large",
        ),
    ],
)
def test_a_fault_is_reported_at_its_position(good: str, bad: str, expected: list[str]) -> None:
    assert_faults(good, bad, expected)
