"""Answers to questions about all companies are computed from stored rows and cached."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.database import execute, transaction
from models.insights import answers as stored_answers
from rules.file.rule_file import read_rules
from services.insights import answers
from services.insights.answers import cached_answer
from services.insights.questions import (
    Adoption,
    Cohorts,
    Distribution,
    Question,
    Uptake,
    read_question,
    write_question,
)
from services.insights.thresholds import Threshold, distributions
from services.rules.rule_books import RuleBooks
from tests.support.events import tracked
from tests.support.in_transactions import compute_answer, store
from tests.support.world import World

NOW = datetime(2026, 1, 21, 12, tzinfo=UTC)
RULES = """
version: 1
events: {login: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 5 times in 7 days, Critical: no activity for 7 days}
    where: {data.source: [web, 1]}
  - flag: Users
    event: any
    when: {At Risk: fewer than 2 distinct users in 30 days, Critical: less than 1 time in 60 days}
  - flag: Field
    when: {At Risk: company.nps below 3}
"""

APPLYING = """
version: 1
events: {login: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 5 times in 7 days}
    applies_to: {company.plan: Pro}
"""

pytestmark = pytest.mark.usefixtures("settings")


def new_organization() -> int:
    return World.create(None).id


def track(organization_id: int, company: str, days: float, **changed: Any) -> None:
    at = NOW - timedelta(days=days)
    fields = {"name": company, **changed.pop("fields", {})}
    key = changed.pop("event_key", "login")
    store([tracked(organization_id, company, at, key=key, company=fields, **changed)], RuleBooks())


def ask(organization_id: int, question: Question, now: datetime = NOW) -> Any:
    compute_answer(organization_id, write_question(question), now)
    with transaction():
        return cached_answer(organization_id, question, now).value


def test_adoption_counts_companies_that_ever_used_an_event_and_in_thirty_days() -> None:
    o, other = new_organization(), new_organization()
    track(o, "a", 1)
    track(o, "a", 2)
    track(o, "b", 31)
    track(o, "c", 1, event_key="report")
    track(other, "d", 1)
    assert ask(o, Adoption("login")) == {"companies": 3, "ever": 2, "in_a_month": 1}
    assert ask(o, Adoption("never")) == {"companies": 3, "ever": 0, "in_a_month": 0}


def test_a_distribution_includes_companies_without_events() -> None:
    o, other = new_organization(), new_organization()
    for company, times in (("a", 1), ("b", 3), ("c", 3)):
        for _ in range(times):
            track(o, company, 1)
    track(o, "old", 7)
    track(o, "other", 1, event_key="report")
    track(other, "d", 1)
    week = Distribution("login", (), timedelta(days=7), users=False)
    assert ask(o, week) == [[0, 2], [1, 1], [3, 2]]
    assert ask(o, Distribution(None, (), timedelta(days=7), users=False)) == [
        [0, 1], [1, 2], [3, 2],
    ]  # fmt: skip


def test_a_distribution_counts_users_and_filters_events_by_their_data() -> None:
    o = new_organization()
    for user, source in (("ann", "web"), ("ann", "web"), ("ben", "web"), ("cem", "api")):
        track(o, "a", 1, user_id=user, data={"source": source})
    month = timedelta(days=30)
    where = ((("source",), ("web",)),)
    assert ask(o, Distribution("login", (), month, users=True)) == [[3, 1]]
    assert ask(o, Distribution("login", where, month, users=True)) == [[2, 1]]
    assert ask(o, Distribution("login", where, month, users=False)) == [[3, 1]]


def test_a_distribution_for_a_flag_leaves_out_companies_to_which_it_does_not_apply() -> None:
    world = World.create(APPLYING, start=NOW, rules_at=-timedelta(days=9))
    o = world.id
    for company, plan in (("a", "Pro"), ("b", "PRO"), ("c", "Free")):
        track(o, company, 1, fields={"plan": plan})
    world.judge()
    book = read_rules(APPLYING)
    [(question, _)] = distributions(book, "Logs in")
    assert ask(o, question) == [[1, 2]]
    assert ask(o, replace(question, flag=None)) == [[1, 3]]


def test_uptake_counts_companies_that_had_used_an_event_by_the_end_of_each_week() -> None:
    o, other = new_organization(), new_organization()
    track(o, "a", 800, event_key="report")
    track(o, "a", 16)  # Monday, two weeks before
    track(o, "a", 1)
    track(o, "b", 9)
    track(o, "c", 8, event_key="report")
    track(other, "d", 1)
    answer = ask(o, Uptake("login"))
    assert len(answer) == 53
    assert answer[0] == {"week": "2025-01-20", "companies": 1, "used": 0}
    assert answer[-4:] == [
        {"week": "2025-12-29", "companies": 1, "used": 0},
        {"week": "2026-01-05", "companies": 1, "used": 1},
        {"week": "2026-01-12", "companies": 3, "used": 2},
        {"week": "2026-01-19", "companies": 3, "used": 2},
    ]
    assert [week["used"] for week in ask(o, Uptake("never"))] == [0] * 53


def test_counts_above_the_maximum_are_one_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_NUMBER", 3)
    o = new_organization()
    for company, times in (("a", 3), ("b", 5)):
        for _ in range(times):
            track(o, company, 1)
    assert ask(o, Distribution("login", (), timedelta(days=7), users=False)) == [[3, 2]]


def test_cohorts_are_grouped_by_the_value_of_a_field() -> None:
    o = new_organization()
    track(o, "a", 1, fields={"plan": "Pro"})
    track(o, "a", 2, fields={"plan": "Pro"})
    track(o, "b", 40, fields={"plan": "Pro"})
    track(o, "c", 1, fields={"plan": None})
    track(o, "d", 1, event_key="report", fields={"seats": 5})
    assert ask(o, Cohorts("plan", "login")) == [
        {"value": "Pro", "others": False, "companies": 2, "active": 1, "events": 2},
        {"value": None, "others": False, "companies": 2, "active": 1, "events": 1},
    ]
    assert [cohort["value"] for cohort in ask(o, Cohorts("name", "login"))] == ["a", "b", "c", "d"]


def test_rare_values_of_a_field_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "COHORTS", 1)
    o = new_organization()
    for company, seats in (("a", 1), ("b", 1), ("c", 2), ("d", 3)):
        track(o, company, 1, fields={"seats": seats})
    assert [
        (cohort["value"], cohort["others"], cohort["companies"])
        for cohort in ask(o, Cohorts("seats", "login"))
    ] == [(1, False, 2), (None, True, 2)]


# When answers are computed


def test_an_answer_that_is_not_cached_is_stale() -> None:
    o = new_organization()
    with transaction():
        answer = cached_answer(o, Adoption("login"), NOW)
    assert (answer.value, answer.as_of, answer.is_stale) == (None, None, True)


def test_an_answer_is_stale_after_a_minute_or_twenty_times_its_cost() -> None:
    o = new_organization()
    question = Adoption("login")
    ask(o, question)

    def is_stale(seconds: float) -> bool:
        with transaction():
            return cached_answer(o, question, NOW + timedelta(seconds=seconds)).is_stale

    assert not is_stale(59)
    assert is_stale(60)
    with transaction():
        execute("update insights set took = '10 seconds'")
    assert not is_stale(199)
    assert is_stale(200)


def test_a_fresh_answer_is_not_computed_again() -> None:
    o = new_organization()
    track(o, "a", 1)
    assert ask(o, Adoption("login"))["companies"] == 1
    track(o, "b", 1)
    assert ask(o, Adoption("login"), NOW + timedelta(seconds=59))["companies"] == 1
    assert ask(o, Adoption("login"), NOW + timedelta(seconds=60))["companies"] == 2


def test_an_older_answer_does_not_replace_a_newer_one() -> None:
    o = new_organization()
    for at, value in ((NOW, "new"), (NOW - timedelta(seconds=1), "old")):
        with transaction():
            stored_answers.save(o, "q", stored_answers.StoredAnswer(value, at, timedelta(0)))
    with transaction():
        answer = stored_answers.find(o, "q")
    assert answer is not None
    assert answer.answer == "new"


def test_an_answer_that_was_not_requested_for_a_month_is_deleted() -> None:
    o = new_organization()
    ask(o, Adoption("login"))
    with transaction():
        stored_answers.delete(o, before=NOW)
        assert stored_answers.find(o, write_question(Adoption("login"))) is not None
        stored_answers.delete(o, before=NOW + timedelta(seconds=1))
        assert stored_answers.find(o, write_question(Adoption("login"))) is None


# Flags


def test_a_flag_has_a_distribution_for_each_of_its_windows_with_its_thresholds() -> None:
    book = read_rules(RULES)
    where = ((("source",), ("web", 1)),)
    assert distributions(book, "Logs in") == [
        (
            Distribution("login", where, timedelta(days=7), users=False, flag="Logs in"),
            [
                Threshold("Critical", "No activity for 7 days", 1, is_upper_bound=True),
                Threshold("At Risk", "Less than 5 times in 7 days", 5, is_upper_bound=True),
            ],
        )
    ]
    assert [
        (question.users, [threshold.number for threshold in thresholds])
        for question, thresholds in distributions(book, "Users")
    ] == [(False, [1]), (True, [2])]
    assert distributions(book, "Field") == []
    assert distributions(book, "No such flag") == []


@pytest.mark.parametrize(
    "question",
    [
        Adoption("login"),
        Uptake("login"),
        Cohorts("plan", "login"),
        Distribution(None, (), timedelta(days=7), users=True, flag="Users"),
        Distribution("login", ((("a", "b"), ("x", 1, True)),), timedelta(seconds=90), users=False),
    ],
)
def test_a_question_is_read_as_it_was_written(question: Question) -> None:
    written = write_question(question)
    assert write_question(read_question(written)) == written


def test_a_threshold_holds_on_one_side_of_its_number_and_names_the_count_one_event_away() -> None:
    few = Threshold("At Risk", "Less than 5 times", 5, is_upper_bound=True)
    many = Threshold("At Risk", "At least 3 times", 3, is_upper_bound=False)
    assert [n for n in range(9) if few.holds(n)] == [0, 1, 2, 3, 4]
    assert [n for n in range(5) if many.holds(n)] == [3, 4]
    assert (few.one_away, many.one_away) == (5, 2)
    for threshold in (few, many):
        assert threshold.one_away is not None
        assert not threshold.holds(threshold.one_away)
    assert Threshold("At Risk", "Less than 0 times", 0, is_upper_bound=True).one_away is None


@pytest.mark.parametrize("text", ["", "1", "{}", '{"asks": "Why"}', '{"asks": "Adoption"}'])
def test_any_other_text_is_not_a_question(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)question|unexpected|input"):
        read_question(text)
