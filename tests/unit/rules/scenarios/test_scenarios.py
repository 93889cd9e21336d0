from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.durations import format_offset
from rules.faults import Fault, RuleFileError
from rules.file.rule_file import read_rules
from rules.language.parser import parse_offset
from rules.scenarios.file import read_scenarios, rules_tested_by
from rules.scenarios.scenario import Failure, Scenario, run
from tests.support.properties import effort

BOOK = read_rules("""\
version: 1
events:
  login:
  export: {name: Exported}
  old: {enabled: false}
flags:
  - flag: Exports
    event: export
    when: {At Risk: less than 3 times in 7 days, Critical: less than 1 time in 7 days}
    new_company: wait 7 days
  - flag: Seats
    event: login
    when: {At Risk: distinct users in 7 days below 50% of company.limits.seats}
    recover: distinct users in 7 days at least 75% of company.limits.seats
  - flag: Renewal
    when: {Critical: company.renewal_date within 60 days}
    applies_to: {company.plan: Pro}
    weight: 2
""")

TEST = """\
rules: rules.yaml
tests:
  - test: A story
    events: [{at: 1 day, event: login}]
    expect: [{at: 1 day, status: Healthy}]
"""

KNOWN_KEYS = "`at`, `event`, `user`, `data`, `company`, `times` and `every`"


def only(text: str) -> Scenario:
    [scenario] = read_scenarios(f"rules: r.yaml\ntests:\n{text}", BOOK).tests
    return scenario


def failures_of(events: str, expectation: str, company: str = "{}") -> list[str]:
    scenario = only(
        f"  - test: A story\n    company: {company}\n    events: [{events}]\n"
        f"    expect: [{expectation}]\n"
    )
    return [failure.message for failure in run(scenario, BOOK)]


def faults_of(text: str) -> list[Fault]:
    with pytest.raises(RuleFileError) as caught:
        read_scenarios(text, BOOK)
    return list(caught.value.faults)


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("rules: rules.yaml\n", "", 1, 1, "the file lacks `rules`"),
        ("tests:", "test:", 2, 1, "`test` is not known in the file; did you mean `tests`?"),
        ("rules: rules.yaml", "rules: r\nstart: soon", 2, 8,
         "`start` must be a date such as `2026-01-05` or `2026-01-05 09:30`, not `soon`"),
        ("    events: [{at: 1 day, event: login}]\n", "", 3, 5, "a test lacks `events`"),
        ("[{at: 1 day, event: login}]", "[]", 4, 13,
         "`events` is empty; it needs at least one `-`"),
        ("[{at: 1 day, event: login}]", "login", 4, 13, "`events` must be a list, not `login`"),
        ("event: login", "even: login", 4, 26,
         "`even` is not known in an event; did you mean `event`?"),
        ("event: login", "event: login, zzz: 1", 4, 40,
         f"`zzz` is not known in an event; known are {KNOWN_KEYS}"),
        ("event: login", "event: logins", 4, 33,
         "the event `logins` is not listed under `events` of the rules; did you mean `login`?"),
        ("event: login", "event: invoice", 4, 33,
         "the event `invoice` is not listed under `events` of the rules; add it there"),
        ("event: login", "event: old", 4, 33,
         "the event `old` is disabled in the rules, so it cannot be sent"),
        ("at: 1 day, event", "at: tomorrow, event", 4, 19,
         "`tomorrow` is not understood here, expected a number: for example `3 days 4 hours`"),
        ("at: 1 day, event", "at: 2026-02-30, event", 4, 19,
         "`at` must be a date such as `2026-01-05` or `2026-01-05 09:30`, not `2026-02-30`"),
        ("event: login", "event: login, times: none", 4, 47,
         "`times` must be a whole number from 1 to 10,000"),
        ("event: login", "event: login, times: 0", 4, 47,
         "`times` must be a whole number from 1 to 10,000"),
        ("event: login", "event: login, every: 1 hour", 4, 14,
         "`every` needs `times`: how many times it happens"),
        ("event: login", "event: login, user: []", 4, 46,
         "`user` is empty; it needs at least one `-`"),
        ("event: login", "event: login, data: web", 4, 46,
         "`data` must be a mapping (`name: value` lines), not `web`"),
        ("event: login", "event: login, company: {plan: Free, plan: Pro}", 4, 62,
         "`plan` appears twice in `company`, first on line 4"),
        ("[{at: 1 day, status: Healthy}]", "[{at: 1 day}]", 5, 14,
         "nothing is expected here; add one of `status`, `score`, `flags` and `changes`"),
        ("at: 1 day, status", "at: 23 hours, status", 5, 19,
         ("`23 hours` is before the first event, at 1 day:"
         " a company is known from its first event on")),
        ("status: Healthy", "status: healthy", 5, 34,
         "the status `healthy` is not known; did you mean `Healthy`?"),
        ("status: Healthy", "status: N/A", 5, 34,
         "the status `N/A` is not known; known are `Healthy`, `At Risk` and `Critical`"),
        ("status: Healthy", "score: 101", 5, 33,
         "`score` must be a whole number from 0 to 100, or `N/A`"),
        ("status: Healthy", "flags: {}", 5, 33,
         "`flags` is empty; write for example `Logins: At Risk`"),
        ("status: Healthy", "flags: {Export: Healthy}", 5, 34,
         "there is no flag `Export`; did you mean `Exports`?"),
        ("status: Healthy", "flags: {Exports: Risk}", 5, 43,
         "the status `Risk` is not known; did you mean `At Risk`?"),
        ("status: Healthy", "flags: {Seats: Critical}", 5, 41,
         "`Seats` can never be `Critical`; it can be `Healthy`, `At Risk` and `N/A`"),
        ("status: Healthy", "changes: {Unheard: never}", 5, 36,
         "there is no flag `Unheard`; it is not in the rule file"),
        ("status: Healthy", "changes: {Seats: 1 day}", 5, 43,
         "a next change comes after the instant itself, 1 day"),
        ("status: Healthy", "changes: {Seats: soon}", 5, 43,
         "`soon` is not understood here, expected a number: for example `3 days 4 hours`"),
        ("status: Healthy", 'changes: {Seats: ""}', 5, 43,
         "the next change of `Seats` must not be empty"),
    ],
)  # fmt: skip
def test_a_fault_is_reported_at_its_position(
    old: str, new: str, line: int, column: int, message: str
) -> None:
    assert old in TEST
    assert Fault(line, column, message) in faults_of(TEST.replace(old, new, 1))


def test_all_faults_are_reported_at_once() -> None:
    text = TEST.replace("login", "logins").replace("Healthy", "Helthy").replace("rules.yaml", "")
    assert [fault.line for fault in faults_of(text)] == [1, 4, 5]


def test_an_event_that_could_not_be_read_may_be_the_first() -> None:
    events = "[{at: never, event: login}, {at: 2 days, event: login}]"
    faults = faults_of(TEST.replace("[{at: 1 day, event: login}]", events))
    assert [fault.line for fault in faults] == [4]


def test_two_tests_with_the_same_name_are_a_fault() -> None:
    again = TEST + TEST.split("tests:\n")[1]
    assert faults_of(again) == [
        Fault(6, 11, "the test `A story` is defined twice, first on line 3")
    ]


def test_the_fault_of_an_empty_file_suggests_how_to_start() -> None:
    assert faults_of("") == [Fault(1, 1, "the file is empty; start with `rules: health.yaml`")]


def test_values_that_contain_themselves_are_a_fault() -> None:
    faults = faults_of(TEST.replace("event: login", "event: login, data: &a {b: *a}"))
    assert [fault.message for fault in faults] == ["what starts with `*` is a part of itself here"]


def test_without_a_book_only_the_syntax_is_checked() -> None:
    text = TEST.replace("login", "unheard of").replace("Healthy", "Fine")
    assert read_scenarios(text, None).tests[0].name == "A story"


@pytest.mark.parametrize(
    ("text", "path"),
    [(TEST, "rules.yaml"), ("rules: ../x.yaml", "../x.yaml"), ("tests: []", None), ("- 1", None),
     ("", None), ("rules:", None), ("rules: [", None)],
)  # fmt: skip
def test_a_test_file_names_its_rules(text: str, path: str | None) -> None:
    assert rules_tested_by(text) == path


def test_all_parts_of_a_test_are_read() -> None:
    scenario = only("""\
  - test: A story
    company: {plan: Pro, limits: {seats: 4}, tags: [a, 1, true, null]}
    events:
      - {at: 2026-01-03 12:00, event: login, company: {plan: Free}}
      - {at: 1 day 2 hours, event: export, user: [ann, 7], times: 2, every: 1 hour, data: {n: 1.5}}
    expect:
      - at: 3 days
        status: Healthy
        flags:
          Seats: N/A
""")
    begins = datetime(2026, 1, 2, 2, tzinfo=UTC)
    assert [
        (event.at - begins, event.event_key, event.user, event.data) for event in scenario.events
    ] == [
        (timedelta(0), "export", "ann", {"n": 1.5}),
        (timedelta(0), "export", "7", {"n": 1.5}),
        (timedelta(hours=1), "export", "ann", {"n": 1.5}),
        (timedelta(hours=1), "export", "7", {"n": 1.5}),
        (timedelta(days=1, hours=10), "login", None, None),
    ]
    assert scenario.events[0].company == {
        "id": "test",
        "name": "A story",
        "plan": "Pro",
        "limits": {"seats": 4},
        "tags": ["a", 1, True, None],
    }
    assert scenario.events[-1].company == {"plan": "Free"}
    assert [assertion.line for assertion in scenario.expectations[0].assertions] == [10, 12]


LOGIN = "{at: 0 days, event: login, user: ann}"
EXPORTS = "{at: 0 days, event: export, times: 4, every: 1 day}"


@pytest.mark.parametrize(
    ("company", "events", "expectation"),
    [
        ("{}", LOGIN, "{at: 6 days 23 hours 59 minutes 59 seconds, flags: {Exports: N/A}}"),
        ("{}", LOGIN, "{at: 7 days, flags: {Exports: Critical}, status: Critical, score: 0}"),
        ("{}", EXPORTS, "{at: 2 days, score: N/A, flags: {Seats: N/A, Renewal: N/A}}"),
        ("{}", f"{EXPORTS}, {{at: 7 days, event: export}}",
         "{at: 7 days, changes: {Exports: 9 days, Seats: never}}"),
        ("{limits: {seats: 2}}", LOGIN, "{at: 0 days, changes: {Seats: 7 days}}"),
        ("{limits: {seats: 2}}", f"{LOGIN}, {{at: 8 days, event: login, user: bob}}",
         "{at: 8 days, flags: {Seats: At Risk}}"),
        ("{limits: {seats: 2}}", f"{LOGIN}, {{at: 8 days, event: login, user: [ann, bob]}}",
         "{at: 8 days, flags: {Seats: Healthy}}"),
        ("{plan: Pro, renewal_date: 2026-04-01}", LOGIN,
         "{at: 2026-01-30, flags: {Renewal: Healthy}, changes: {Renewal: 2026-01-31}}"),
        ("{plan: Pro, renewal_date: 2026-04-01}",
         f"{LOGIN}, {{at: 2026-02-01, event: login, company: {{plan: Free}}}}",
         "{at: 2026-01-31 23:59:59, flags: {Renewal: Critical}}"),
        ("{plan: Pro, renewal_date: 2026-04-01}",
         f"{LOGIN}, {{at: 2026-02-01, event: login, company: {{plan: Free}}}}",
         "{at: 2026-02-01, flags: {Renewal: N/A}}"),
        ("{}", f"{LOGIN}, {{at: 8 days, event: export, times: 3}}",
         "{at: 7 days 23 hours, flags: {Exports: Critical}, changes: {Exports: never}}"),
    ],
)  # fmt: skip
def test_a_correct_expectation_passes(company: str, events: str, expectation: str) -> None:
    assert failures_of(events, expectation, company) == []


@pytest.mark.parametrize(
    ("events", "expectation", "message"),
    [
        (EXPORTS, "{at: 7 days, status: At Risk}",
         ("at 7 days: expected status At Risk, but it is Healthy;"
         " Exports: Healthy because none of its conditions is met (Less than 3 times in 7 days:"
         " 3 times or more); Seats: N/A because it cannot be judged (Distinct users in 7 days below"
         " 50% of company.limits.seats: company.limits.seats is not a number above 0)")),
        (LOGIN, "{at: 7 days, status: Healthy}",
         ("at 7 days: expected status Healthy, but it is Critical; Exports: Critical because its"
         " condition is met (Less than 1 time in 7 days: 0 times)")),
        (LOGIN, "{at: 1 day, flags: {Exports: At Risk}}",
         "at 1 day: expected Exports to be At Risk, but it is N/A because the company is new"),
        (LOGIN, "{at: 1 day, flags: {Renewal: Critical}}",
         ("at 1 day: expected Renewal to be Critical, but it is N/A because it does not apply to"
         " this company")),
        (EXPORTS, "{at: 7 days, score: 50}",
         "at 7 days: expected score 50, but it is 100; Exports: Healthy, Seats: N/A, Renewal: N/A"),
        (EXPORTS, "{at: 7 days, score: N/A}",
         ("at 7 days: expected score N/A, but it is 100;"
         " Exports: Healthy, Seats: N/A, Renewal: N/A")),
        (EXPORTS, "{at: 7 days, changes: {Exports: 9 days}}",
         ("at 7 days: expected Exports to change at 9 days if nothing happens,"
         " but it becomes At Risk at 8 days")),
        (f"{EXPORTS}, {{at: 3 days 12 hours, event: export}}",
         "{at: 2026-01-08, changes: {Exports: never}}",
         ("at 2026-01-08: expected Exports never to change if nothing happens,"
         " but it becomes At Risk at 2026-01-10 00:00")),
        (LOGIN, "{at: 7 days, changes: {Exports: 14 days}}",
         ("at 7 days: expected Exports to change at 14 days if nothing happens,"
         " but it never does")),
    ],
)  # fmt: skip
def test_a_failed_expectation_is_reported_with_its_reason(
    events: str, expectation: str, message: str
) -> None:
    assert failures_of(events, expectation) == [message]


def test_a_failure_has_the_line_of_its_expectation() -> None:
    scenario = only(f"""\
  - test: A story
    events: [{LOGIN}]
    expect:
      - at: 0 days
        status: Healthy
        flags:
          Exports: N/A
          Seats: At Risk
""")
    assert [failure.line for failure in run(scenario, BOOK)] == [10]
    assert isinstance(run(scenario, BOOK)[0], Failure)


@pytest.mark.parametrize("offset", ["0 days", "3 days 4 hours", "1 hour 1 second", "20 days"])
def test_offsets_are_formatted_as_they_are_parsed(offset: str) -> None:
    assert format_offset(parse_offset(offset)) == offset


def test_an_upcoming_change_is_not_hidden_by_a_later_one_of_another_flag() -> None:
    book = read_rules("""\
version: 1
events: {login: }
flags:
  - flag: Meeting
    when: {At Risk: company.meeting within 10 days, Critical: flag Quiet is At Risk}
  - flag: Quiet
    event: login
    when: {At Risk: no activity for 20 days}
""")
    text = """\
rules: r.yaml
start: 2026-01-01
tests:
  - test: A meeting on day 20
    company: {meeting: 2026-01-21}
    events: [{at: 0 days, event: login}]
    expect: [{at: 0 days, changes: {Meeting: 10 days, Quiet: 20 days}}]
"""
    [scenario] = read_scenarios(text, book).tests
    assert run(scenario, book) == []


@effort(4)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(TEST)),
            st.integers(0, 6),
            st.sampled_from(["", "\n", "  ", "- ", "&a ", "*a", "[", "}", "~", "1", ": ", "at: "]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_file_is_read_or_its_faults_are_reported(
    edits: list[tuple[int, int, str]],
) -> None:
    text = TEST
    for start, length, new in edits:
        text = text[:start] + new + text[start + length :]
    rules_tested_by(text)
    with suppress(RuleFileError):
        for scenario in read_scenarios(text, BOOK).tests:
            run(scenario, BOOK)
