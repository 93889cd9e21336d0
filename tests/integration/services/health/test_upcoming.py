"""Upcoming changes are those that the forecast of all companies returns, the soonest first."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.cursors import UnreadableCursor
from models.database import query, transaction
from models.health import flag_states
from services.health import upcoming
from services.health.overrides import FlagOfCompany, JudgingContext, Justification, override
from services.health.upcoming import Span, upcoming_changes
from services.rules.planned_changes import PlannedChange, find_companies_due, forecast
from services.rules.rule_books import RuleBooks
from tests.support.events import tracked
from tests.support.live import pass_time, receive
from tests.support.properties import seeds
from tests.support.world import START, World

NOW = START + timedelta(days=12)

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: , report: }
flags:
  - flag: Reports
    event: report
    when: {At Risk: less than 3 times in 7 days, Critical: less than 1 time in 9 days}
  - flag: Quiet
    event: any
    when: {At Risk: no activity for 5 days}
  - flag: Errors
    event: login
    when: {At Risk: at least 4 times in 2 days}
  - flag: Web
    event: login
    where: {data.source: web}
    when: {At Risk: less than 1 time in 6 days}
    new_company: wait 15 days
  - flag: Lasting
    event: login
    when: {Critical: less than 1 time in 3 days}
    for: 4 days
  - flag: Recovering
    event: report
    when: {At Risk: less than 2 times in 4 days}
    recover: at least 3 times in 4 days
  - flag: Users
    event: login
    when: {At Risk: fewer than 2 distinct users in 11 days}
  - flag: Both
    when: {Critical: flag Reports is At Risk or worse and flag Web is At Risk}
"""

pytestmark = pytest.mark.usefixtures("settings")


def new_organization(rules: str = RULES) -> int:
    return World.create(rules, rules_at=START).id


def track(
    organization_id: int,
    company: str,
    key: str,
    at: datetime,
    *,
    rulebooks: RuleBooks | None = None,
    user: str | None = None,
    **data: Any,
) -> None:
    event = tracked(
        organization_id,
        company,
        at,
        key=key,
        company={"name": company.title()},
        user_id=user,
        data=data or None,
    )
    receive(event, rulebooks or RuleBooks())


def add_history(organization_id: int, seed: int, companies: int) -> None:
    """Store and evaluate random events, after which most flags are due earlier than they change."""
    chance = random.Random(seed)
    rulebooks = RuleBooks()
    sent = [
        (START + timedelta(seconds=chance.randrange(12 * 86_400)), f"c{n}")
        for n in range(companies)
        for _ in range(chance.randrange(2, 20))
    ]
    for at, company in sorted(sent):
        pass_time(at, rulebooks)
        source, key = chance.choice(["web", "api"]), chance.choice(["login", "report"])
        user = chance.choice([None, "ann", "ben"])
        user = user and f"{user} of {company}"
        track(organization_id, company, key, at, rulebooks=rulebooks, user=user, source=source)
    pass_time(NOW, rulebooks)


def whole_forecast(organization_id: int, until: datetime) -> list[PlannedChange]:
    """Return what `brazebee rules forecast` lists."""
    with transaction():
        due = flag_states.find_due_companies(organization_id, until=until)
        forecasts = forecast(organization_id, due, 1, NOW, until)
        changes = [change for changes in forecasts for change in changes]
    moves = [change for change in changes if change.before != change.after]
    return sorted(moves, key=lambda change: (change.at, change.id))


def pages(organization_id: int, until: datetime, limit: int) -> list[list[PlannedChange]]:
    pages_read = []
    cursor = None
    rulebooks = RuleBooks()
    while True:
        with transaction():
            page = upcoming_changes(
                organization_id, 1, Span(NOW, until), rulebooks, after=cursor, limit=limit
            )
        pages_read.append(page.changes)
        assert len(page.changes) <= limit
        assert all(change.at <= page.complete_until for change in page.changes)
        if page.next is None:
            assert page.complete_until == until
            return pages_read
        cursor = page.next


@pytest.mark.parametrize("seed", seeds())
def test_all_pages_together_are_the_whole_forecast(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization_id = new_organization()
    add_history(organization_id, seed, companies=8)
    until = NOW + timedelta(days=7)
    expected = whole_forecast(organization_id, until)
    assert len(expected) > 1
    monkeypatch.setattr(upcoming, "COMPANIES_AT_ONCE", 2)
    for chunk, limit, judged in ((500, 1, 50), (7, 3, 2), (3, 100, 50)):
        monkeypatch.setattr(upcoming, "FLAGS_AT_ONCE", chunk)
        monkeypatch.setattr(upcoming, "MAX_FLAGS", 2 * chunk)
        monkeypatch.setattr(upcoming, "MAX_COMPANIES", judged)
        changes = [change for page in pages(organization_id, until, limit) for change in page]
        assert changes == expected, (chunk, limit, judged)


def test_companies_whose_flags_are_due_too_early_are_not_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organization_id = new_organization(
        "version: 1\nevents: {login: }\nflags:\n  - flag: Quiet\n    event: login\n"
        "    when: {At Risk: no activity for 5 days}\n"
    )
    for n in range(20):
        track(organization_id, f"busy{n}", "login", NOW - timedelta(days=4))
    for n in range(20):
        track(organization_id, f"busy{n}", "login", NOW - timedelta(hours=1))
    track(organization_id, "silent", "login", NOW - timedelta(days=1))
    judged: list[int] = []

    def record(organization_id: int, due: list[int], *rest: Any) -> Any:
        judged.extend(due)
        return forecast(organization_id, due, *rest)

    monkeypatch.setattr(upcoming, "forecast", record)
    with transaction():
        span = Span(NOW, NOW + timedelta(days=4, hours=12))
        page = upcoming_changes(organization_id, 1, span, RuleBooks())
    assert [change.id for change in page.changes] == ["silent"]
    assert len(judged) == 1


def test_a_page_judges_a_limited_number_of_companies(monkeypatch: pytest.MonkeyPatch) -> None:
    organization_id = new_organization(
        "version: 1\nevents: {login: }\nflags:\n  - flag: Web\n    event: login\n"
        "    where: {data.source: web}\n    when: {At Risk: no activity for 5 days}\n"
    )
    for n in range(20):
        at = NOW - timedelta(days=4, minutes=n)
        track(organization_id, f"busy{n}", "login", at, source="web")
        track(organization_id, f"busy{n}", "login", NOW - timedelta(hours=1), source="web")
    track(organization_id, "silent", "login", NOW - timedelta(days=3), source="web")
    monkeypatch.setattr(upcoming, "MAX_COMPANIES", 6)
    judged: list[int] = []

    def record(organization_id: int, due: list[int], *rest: Any) -> Any:
        judged.extend(due)
        return forecast(organization_id, due, *rest)

    monkeypatch.setattr(upcoming, "forecast", record)
    until = NOW + timedelta(days=3)
    with transaction():
        page = upcoming_changes(organization_id, 1, Span(NOW, until), RuleBooks())
    assert len(judged) == 10  # five at once
    assert (page.changes, page.next is None) == ([], False)
    assert NOW + timedelta(days=1) > page.complete_until > NOW
    assert pages(organization_id, until, 20)[-1] == whole_forecast(organization_id, until)


def test_a_change_by_an_event_that_is_not_judged_yet_is_included() -> None:
    organization_id = new_organization()
    track(organization_id, "acme", "report", NOW - timedelta(days=1))
    until = NOW + timedelta(days=7)
    with transaction():
        query("update companies set unsettled_since = %(at)s", {"at": NOW - timedelta(days=1)})
    assert pages(organization_id, until, 50) == [whole_forecast(organization_id, until)]


def test_the_end_of_an_override_is_an_upcoming_change_though_no_flag_is_due() -> None:
    organization_id = new_organization(
        "version: 1\nevents: {login: }\nflags:\n  - flag: Quiet\n    event: login\n"
        "    when: {At Risk: no activity for 30 days}\n"
    )
    rulebooks = RuleBooks()
    track(organization_id, "acme", "login", NOW - timedelta(hours=1), rulebooks=rulebooks)
    ends_at, until = NOW + timedelta(days=2), NOW + timedelta(days=7)
    with transaction():
        override(
            FlagOfCompany(organization_id, "acme", "Quiet"),
            "At Risk",
            ends_at,
            Justification(reason="cancelled", owner="ann", made_by="ann"),
            JudgingContext(rulebooks, NOW, lambda *_: NOW),
        )
        due = find_companies_due(organization_id, until=until)
        [[expected]] = forecast(organization_id, due, 1, NOW, until)
    assert (expected.at, expected.before, expected.after) == (ends_at, "At Risk", "Healthy")
    assert pages(organization_id, until, 2) == [[expected]]
    assert pages(organization_id, ends_at - timedelta(days=1), 1) == [[]]


def test_other_organizations_are_ignored() -> None:
    mine, other = new_organization(), new_organization()
    add_history(other, 1, companies=3)
    assert pages(mine, NOW + timedelta(days=7), 5) == [[]]


def test_a_cursor_of_another_list_is_refused() -> None:
    organization_id = new_organization()
    with pytest.raises(UnreadableCursor), transaction():
        upcoming_changes(organization_id, 1, Span(NOW, NOW), RuleBooks(), after="WyJ4Il0")
