"""Reasons of raised flags: plain English in three to six words, for every kind of phrase."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import EventSetting, RuleBook
from rules.facts import Selector
from rules.facts_in_memory import Occurrence
from rules.flags import Flag, FlagMemory, Reason, Verdict
from rules.language.examples import PHRASES
from rules.language.parser import parse_condition
from rules.phrases.condition import Condition
from rules.statuses import DEFAULT_STATUSES
from rules.team import TeamFields
from rules.wording import reasons
from tests.support.properties import effort
from tests.support.rules import at, conditions, facts_of, situation

DAY = 86_400
LONG = "x" * 39


def book(name: str = "Report created", *others: str, **team: Any) -> RuleBook:
    events = {"login": EventSetting("login", name)}
    events |= {key: EventSetting(key, key) for key in others}
    return RuleBook(DEFAULT_STATUSES, events, (), TeamFields(**team))


def reason(
    phrase: str | Condition,
    *days: float,
    fields: dict[str, Any] | None = None,
    rules: RuleBook | None = None,
    known: bool = True,
    **event: Any,
) -> str:
    """Return the reason for a phrase, with events that many days ago."""
    condition = parse_condition(phrase) if isinstance(phrase, str) else phrase
    flag = Flag("Reports", Selector("login"), ((1, condition),))
    events = [Occurrence(at(-ago * DAY), "login", **event) for ago in sorted(days, reverse=True)]
    facts = facts_of(events, fields, first_seen=-100 * DAY)
    levels = dict.fromkeys(condition_flags(condition), 1)
    verdict_of = condition.evaluate(situation(facts, 0, levels))
    return reasons.describe(
        rules or book(), flag, condition, verdict_of, at(0), facts if known else None
    )


def condition_flags(condition: Condition) -> set[str]:
    return {name for part in condition for name in part.other_flags}


@pytest.mark.parametrize(
    ("phrase", "days", "expected"),
    [
        ("less than 5 times in 7 days", (1, 2, 3), "only 3 reports in 7 days"),
        ("less than 5 times in 7 days", (1,), "only 1 report in 7 days"),
        ("less than 5 times in 1 week", (8,), "no reports for 8 days"),
        ("at least 3 times in 1 day", (0.1, 0.2, 0.3, 0.4, 2), "4 reports in 1 day"),
        ("not less than 3 times in 1 day", (0.1, 0.2, 0.3), "3 reports in 1 day"),
        ("no activity for 7 days", (9.5, 30), "no reports for 9 days"),
        ("no activity for 7 days", (), "no reports so far"),
        ("not no activity for 7 days", (1, 2), "2 reports in 7 days"),
        ("down 40% in 30 days", (*range(1, 7), *range(31, 48)), "reports fell from 17 to 6"),
        ("up 100% in 7 days", (1, 2, 3, 8), "reports rose from 1 to 3"),
        ("not up 100% in 7 days", (1, 8), "reports stayed at 1"),
        ("up 100% in 7 days or no activity for 14 days", (20,), "no reports for 20 days"),
        ("at least 5 distinct data.feature in 30 days", (1,), "only 1 feature in 30 days"),
        ("sum of data.amount below 1000 in 30 days", (1, 2), "total amount is 800"),
        ("sum of data.amount below 1000 in 30 days", (40,), "no reports for 40 days"),
        ("average of data.minutes below 5 in 14 days", (1,), "no minutes in 14 days"),
        ("highest of data.amount at least 400 in 14 days", (1,), "highest amount is 400"),
    ],
)
def test_a_reason_counts_what_happened(phrase: str, days: tuple[float, ...], expected: str) -> None:
    assert reason(phrase, *days, data={"feature": "search", "amount": 400}) == expected


@pytest.mark.parametrize(
    ("phrase", "fields", "expected"),
    [
        ("company.nps below 7", {"nps": 3}, "NPS is 3"),
        ("company.nps below 7", {"nps": "low"}, "NPS is not a number"),
        ("company.nps below 7", {}, "NPS is missing"),
        ("company.limits.seats above 5", {"limits": {"seats": 1200}}, "limits seats are 1,200"),
        ("company.plan is Free", {"plan": "free"}, "plan is free"),
        ("not company.plan is Free", {"plan": "Pro"}, "plan is Pro"),
        ("company.csm_name is missing", {}, "CSM name is missing"),
        ("company.csm_name is not missing", {"csm_name": "Ann"}, "CSM name is Ann"),
        ("company.sso_enabled is false", {"sso_enabled": False}, "SSO enabled is false"),
        (
            "company.renewal_date within 60 days",
            {"renewal_date": "2024-02-25"},
            "renews in 36 days",
        ),
        ("company.ends within 60 days", {"ends": "2024-01-21"}, "renews in 1 day"),
        (
            "company.trial_ends_at within 9 days",
            {"trial_ends_at": "2024-01-20T19"},
            "trial ends today",
        ),
        (
            "company.renewal_date within 9 days",
            {"renewal_date": "soon"},
            "renewal date is not a date",
        ),
        ("not company.go_live within 9 days", {"go_live": "2024-01-10"}, "go live was 10 days ago"),
        (
            "never within 14 days of company.signup_date",
            {"signup_date": "2023-12-01"},
            "no reports within 14 days",
        ),
        (
            "distinct users in 30 days below 50% of company.seats",
            {"seats": 73},
            "0 of 73 seats active",
        ),
        ("sum of data.amount below 1000 in 30 days", {}, "no reports so far"),
        ("average of data.minutes below 5 in 14 days", {}, "no reports so far"),
        ("flag Usage drop is At Risk or worse", {}, "Usage drop is At Risk"),
        (
            "flag Drop is At Risk and company.nps below 7 and company.renewal_date within 90 days",
            {"nps": 3, "renewal_date": "2024-02-25"},
            "renews in 36 days",
        ),
        (
            "not (company.nps below 7 or company.plan is Free)",
            {"nps": 9, "plan": "Pro"},
            "NPS is 9",
        ),
    ],
)
def test_a_reason_states_the_value_of_a_field(
    phrase: str, fields: dict[str, Any], expected: str
) -> None:
    assert reason(phrase, fields=fields, rules=book(renewal=("ends",))) == expected


@pytest.mark.parametrize(
    ("name", "none", "few"),
    [
        ("Signed in", "nobody signed in for 9 days", "only 1 sign-in in 10 days"),
        ("login", "no logins for 9 days", "only 1 login in 10 days"),
        ("ReportCreated", "no reports for 9 days", "only 1 report in 10 days"),
        ("invoice_paid", "no invoices paid for 9 days", "1 invoice paid in 10 days"),
        ("NPS answered", "no NPS answered for 9 days", "1 NPS answered in 10 days"),
        (
            "Create report",
            "no “Create report” events for 9 days",
            "only 1 “Create report” event in 10 days",
        ),
        (
            "Отчёт создан",
            "no “Отчёт создан” events for 9 days",
            "only 1 “Отчёт создан” event in 10 days",
        ),
        ("\u200b\u3164", "no logins for 9 days", "only 1 login in 10 days"),
        ("x" * 200, f"no “{LONG}…” events for 9 days", f"only 1 “{LONG}…” event in 10 days"),
    ],
)
def test_a_reason_names_events_as_people_speak_of_them(name: str, none: str, few: str) -> None:
    rules = book(name)
    assert [
        reason("no activity for 7 days", 9.5, rules=rules),
        reason("less than 5 times in 10 days", 9.5, rules=rules),
    ] == [none, few]


def test_what_happened_is_named_where_the_thing_alone_is_not_clear() -> None:
    rules = book("Report created", "report_shared")
    phrase = "down 40% in 30 days"
    assert reason(phrase, 1, 31, 32, rules=rules) == "reports created fell from 2 to 1"


def test_without_the_facts_a_reason_counts_as_far_as_the_phrase_does() -> None:
    days = (0.1, 0.2, 0.3, 0.4)
    assert reason("at least 3 times in 1 day", *days, known=False) == "3+ reports in 1 day"
    assert reason("no activity for 7 days", 9, known=False) == "no reports in 7 days"
    sign_ins = book("Signed in")
    assert reason("no activity for 1 day", rules=sign_ins, known=False) == "no sign-ins in 1 day"
    amount = "sum of data.amount below 1000 in 30 days"
    for events in ((40,), ()):  # nothing is claimed about an event before the window
        assert reason(amount, *events, known=False) == "no reports in 30 days"
    assert reason(amount, 1, known=False, data={"amount": 0}) == "total amount is 0"


def test_a_name_from_right_to_left_keeps_the_order_of_the_sentence() -> None:
    assert reason("company.plan is X", fields={"plan": "بسيط"}) == "plan is \u2068بسيط\u2069"


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_kind_of_phrase_has_a_reason_of_three_to_six_words(phrase: str) -> None:
    fields = {"nps": 3, "plan": "Pro", "seats": 70, "signup_date": "2023-12-01"}
    assert 3 <= len(reason(phrase, *range(1, 70), fields=fields, user="ann").split()) <= 6


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=300), st.just("2024-02-25"), st.just(["a"]),
)  # fmt: skip


@effort(10)
@given(conditions, st.lists(st.floats(0, 400), max_size=6), values, st.text(max_size=250))
def test_a_reason_is_one_short_clause_whatever_the_phrase_and_the_facts(
    condition: Condition, days: list[float], value: Any, name: str
) -> None:
    fields = {path.split(".")[0]: value for part in condition for path in part.company_fields}
    text = reason(condition, *days, fields=fields, rules=book(name), data={"amount": value})
    assert text == text.strip()
    assert len(text) <= 140
    assert not re.search(r"  |[\n\x00-\x1f]|[.,;:]$|\bNone\b|\b1 \w+s in\b", text) or "…" in text
    assert len(text.split()) >= 3 or text.startswith("no ")


def test_a_flag_that_has_not_recovered_is_explained_by_what_it_lacks() -> None:
    flag = Flag(
        "Reports",
        Selector("login"),
        ((1, parse_condition("less than 2 times in 7 days")),),
        recover=parse_condition("at least 7 times in 7 days"),
    )
    events = [Occurrence(at(-day * DAY), "login") for day in (4, 3, 2)]
    facts = facts_of(events, first_seen=-100 * DAY)
    verdict = flag.evaluate(situation(facts, 0), FlagMemory(1))
    assert (verdict.level, verdict.reason) == (1, Reason.RECOVERING)
    assert reasons.short_reason(book(), flag, verdict, at(0), facts) == "only 3 reports in 7 days"


def test_a_flag_whose_phrases_were_not_evaluated_has_no_reason() -> None:
    flag = Flag("Reports", Selector("login"), ((1, parse_condition("no activity for 1 day")),))
    verdict = Verdict(None, Reason.DOES_NOT_APPLY)
    assert reasons.short_reason(book(), flag, verdict, at(0)) is None
