"""Flags snoozed, overridden and ended in PostgreSQL, and what is told of it."""

import itertools
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from cli.commands.flags import flags
from config.settings import Settings
from models.companies import companies
from models.companies.companies import Company
from models.database import execute, query, transaction
from models.health import flag_overrides, transitions
from models.health.flag_overrides import StoredOverride
from models.organizations import organizations
from models.webhooks import webhook_endpoints
from rules.file.rule_file import read_rules
from services.events.tracked_event import TrackedEvent
from services.health.explanation import Explanation, explain
from services.health.overrides import (
    EndInPast,
    FlagOfCompany,
    InvalidJustification,
    JudgingContext,
    Justification,
    NoSuchCompany,
    NoSuchFlag,
    NoSuchStatus,
    NotOverridden,
    OverrideResult,
    end,
    override,
    snooze,
)
from services.rules.apply_rules import apply_rules
from services.rules.backtest import ReplayPeriod, backtest
from services.rules.plan import plan
from services.rules.planned_changes import PlannedChange, companies_due, forecast
from services.rules.rule_books import RuleBooks
from tests.support.in_transactions import evaluate, store
from tests.support.world import RULES

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)

GROUNDS = Justification(reason="the contract is on hold", owner="ann@example.com", made_by="ben")

numbers = itertools.count(1)

pytestmark = pytest.mark.usefixtures("settings")


def after(seconds: float) -> datetime:
    return T0 + timedelta(microseconds=round(seconds * 1_000_000))


class Tenant:
    """An organization with the company `acme`, whose flag `Logs in` people override."""

    def __init__(self, name: str = "o") -> None:
        self.rulebooks = RuleBooks()
        with transaction():
            self.id = organizations.create(name).id
        self.apply(RULES, -60)
        self.track(0)
        self.judge(0)

    def apply(self, rules: str, at: float) -> None:
        with transaction():
            apply_rules(self.id, rules, file="r.yaml", applied_by="test", now=after(at))

    def track(self, *times: float, key: str = "login") -> None:
        store(
            [
                TrackedEvent(
                    organization_id=self.id,
                    key_id=None,
                    event_id=f"e{next(numbers)}",
                    event_key=key,
                    company_id="acme",
                    company={"name": "Acme Corp"},
                    user_id=None,
                    user={},
                    data=None,
                    occurred_at=after(at),
                    received_at=after(at),
                )
                for at in times
            ],
            self.rulebooks,
        )

    def target(self, flag: str = "Logs in", company: str = "acme") -> FlagOfCompany:
        return FlagOfCompany(self.id, company, flag)

    def judging(self, at: float, stored_until: float | None = None) -> JudgingContext:
        known = at if stored_until is None else stored_until
        return JudgingContext(self.rulebooks, after(at), after(known))

    def snooze(
        self, at: float, until: float, *, stored_until: float | None = None
    ) -> OverrideResult:
        with transaction():
            judging = self.judging(at, stored_until)
            return snooze(self.target(), after(until), GROUNDS, judging)

    def override(
        self, at: float, status: str, until: float | None = None, *, flag: str = "Logs in"
    ) -> OverrideResult:
        ends_at = None if until is None else after(until)
        with transaction():
            return override(self.target(flag), status, ends_at, GROUNDS, self.judging(at))

    def end(self, at: float) -> OverrideResult:
        with transaction():
            return end(self.target(), "cem", self.judging(at))

    @property
    def company(self) -> Company:
        with transaction():
            found = companies.find(self.id, "acme")
        assert found is not None
        return found

    def judge(self, at: float, *, stored_until: float | None = None) -> None:
        known = None if stored_until is None else after(stored_until)
        evaluate([self.company.id], self.rulebooks, after(at), stored_until=known)

    def history(self) -> list[tuple[float, str, str]]:
        with transaction():
            found = transitions.list_for_company(self.company.id)
        return [((t.at - T0).total_seconds(), t.to_status, t.cause) for t in found]

    def overrides(self) -> list[StoredOverride]:
        """All that ever were, the oldest first."""
        with transaction():
            found = flag_overrides.list_for_organization(self.id, ended=True)
        return [one.override for one in reversed(found)]

    def explain(self, at: float) -> Explanation:
        with transaction():
            found = explain(self.id, "acme", self.version, after(at))
        assert found is not None
        return found

    def forecast(self, at: float, until: float) -> list[PlannedChange]:
        with transaction():
            due = companies_due(self.id, until=after(until))
            found = forecast(due, self.version, after(at), after(until))
            return [one for some in found for one in some]

    @property
    def version(self) -> int:
        with transaction():
            found = organizations.find("o")
        assert found is not None
        return found.rules_version


@pytest.fixture
def tenant(settings: Settings) -> Tenant:
    del settings  # the database
    return Tenant()


def payloads() -> list[dict[str, Any]]:
    with transaction():
        return [
            json.loads(r["payload"]) for r in query("select payload from deliveries order by id")
        ]


AT_FIRST = (0, "At Risk", "event")


# What is recorded


def test_a_snooze_is_recorded_at_its_start_and_its_end_and_nothing_of_the_flag_between(
    tenant: Tenant,
) -> None:
    tenant.snooze(5, until=30)
    assert tenant.company.health_status == "Healthy"
    assert tenant.company.score == 100
    tenant.track(8, 9)
    tenant.judge(9)
    tenant.judge(20)
    assert tenant.history() == [AT_FIRST, (5, "Healthy", "override")]
    tenant.judge(30)
    assert tenant.history()[2:] == [(30, "At Risk", "override")]
    assert tenant.company.score == 75
    [one] = tenant.overrides()
    assert (one.starts_at, one.ended_at, one.ended_by) == (after(5), after(30), "time")
    assert (one.reason, one.owner, one.made_by) == (GROUNDS.reason, GROUNDS.owner, "ben")


def test_an_override_counts_until_somebody_ends_it(tenant: Tenant) -> None:
    tenant.override(5, "Critical")
    tenant.judge(5_000)
    assert (tenant.company.health_status, tenant.company.score) == ("Critical", 50)
    written = tenant.end(6_000)
    assert written.company.health_status == "At Risk"
    assert tenant.history() == [
        AT_FIRST,
        (5, "Critical", "override"),
        (6_000, "At Risk", "override"),
    ]
    assert written.override == tenant.overrides()[0]
    ended = written.override
    assert (ended.ended_at, ended.ended_by, ended.ended_because) == (
        after(6_000),
        "cem",
        "ended by hand",
    )


def test_a_new_one_replaces_the_former_and_both_are_kept(tenant: Tenant) -> None:
    tenant.snooze(5, until=100)
    tenant.override(10, "Critical", until=20)
    tenant.judge(200)
    assert tenant.history() == [
        AT_FIRST,
        (5, "Healthy", "override"),
        (10, "Critical", "override"),
        (20, "At Risk", "override"),
    ]
    first, second = tenant.overrides()
    assert (first.ended_at, first.ended_by) == (after(10), "ben")
    assert first.ended_because == "replaced by another"
    assert (second.ended_at, second.ended_by) == (after(20), "time")


def test_each_change_is_told_by_webhook_like_any_other(tenant: Tenant, settings: Settings) -> None:
    with transaction():
        webhook_endpoints.add(
            tenant.id, "https://example.com/hook", secret_keys=settings.secret_keys
        )
    written = tenant.override(5, "Critical", until=20)
    with transaction():
        waiting = query("select id from deliveries where state = 'waiting'")
    assert [row["id"] for row in waiting] == list(written.deliveries)
    tenant.judge(20)
    began, ended = payloads()
    assert began == {
        "event": "health_score_changed",
        "id": began["id"],
        "sequence": 2,
        "cause": "override",
        "company": {
            "id": "acme",
            "name": "Acme Corp",
            "health_status": "Critical",
            "previous_status": "At Risk",
        },
        "timestamp": "2026-01-05T12:00:05.000Z",
        "triggers": [{"flag": "Logs in", "status": "Critical", "threshold": "Set by hand"}],
    }
    assert (ended["cause"], ended["timestamp"]) == ("override", "2026-01-05T12:00:20.000Z")
    assert ended["triggers"] == [
        {"flag": "Logs in", "status": "At Risk", "threshold": "Less than 2 times in 10 seconds"}
    ]


def test_a_clock_that_stood_still_records_the_same_as_one_that_did_not(tenant: Tenant) -> None:
    tenant.snooze(5, until=30)
    tenant.track(31, 32)
    tenant.override(33, "At Risk", until=40)
    tenant.judge(3_600)
    assert tenant.history() == [
        AT_FIRST,
        (5, "Healthy", "override"),
        (30, "At Risk", "override"),
        (32, "Healthy", "event"),
        (33, "At Risk", "override"),
        (40, "Healthy", "override"),
        (41, "At Risk", "time"),
    ]


def test_while_events_wait_to_be_stored_it_waits_too_and_is_then_recorded_at_its_instant(
    tenant: Tenant,
) -> None:
    written = tenant.snooze(60, until=100, stored_until=50)
    assert not written.override.start_recorded
    assert tenant.history() == [AT_FIRST]
    with transaction():
        assert flag_overrides.find_due(until=after(59.9), limit=9) == []
        assert flag_overrides.find_due(until=after(60), limit=9) == [(tenant.company.id, after(60))]
    tenant.track(55, 56)
    tenant.judge(200)
    assert tenant.history() == [
        AT_FIRST,
        (56, "Healthy", "event"),
        (100, "At Risk", "override"),
    ]
    with transaction():
        assert flag_overrides.find_due(until=after(10_000), limit=9) == []


def test_what_is_replaced_and_ended_before_any_of_it_could_be_recorded_is_recorded_in_order(
    tenant: Tenant,
) -> None:
    tenant.snooze(60, until=62, stored_until=50)
    with transaction():
        override(tenant.target(), "Critical", None, GROUNDS, tenant.judging(63, 50))
    with transaction():
        end(tenant.target(), "cem", tenant.judging(65, 50))
    tenant.judge(200)
    assert tenant.history() == [
        AT_FIRST,
        (60, "Healthy", "override"),
        (62, "At Risk", "override"),
        (63, "Critical", "override"),
        (65, "At Risk", "override"),
    ]
    first, second = tenant.overrides()
    assert (first.ended_at, first.ended_by) == (after(62), "time")
    assert (second.ended_at, second.ended_by) == (after(65), "cem")


def test_four_people_at_once_leave_one_in_force_and_each_of_the_others_replaced(
    tenant: Tenant,
) -> None:
    start = threading.Barrier(4)

    def work(number: int) -> OverrideResult:
        start.wait(5)
        return tenant.override(10 + number, "Critical")

    with ThreadPoolExecutor(4) as people:
        list(people.map(work, range(4)))
    kept = tenant.overrides()
    assert [one.ended_at is None for one in kept].count(True) == 1
    assert (
        sorted(one.ended_at for one in kept if one.ended_at)
        == sorted(one.starts_at for one in kept)[1:]
    )
    assert tenant.history() == [AT_FIRST, (tenant.history()[1][0], "Critical", "override")]


def test_nothing_is_written_where_it_cannot_be_recorded(tenant: Tenant) -> None:
    with transaction():
        execute("alter table transitions add constraint fails check (false) not valid")
    with pytest.raises(Exception, match="fails"):
        tenant.snooze(5, until=30)
    assert tenant.overrides() == []


def test_the_same_flag_of_another_organization_is_left_alone(tenant: Tenant) -> None:
    other = Tenant("other")
    tenant.snooze(5, until=30)
    assert other.company.health_status == "At Risk"
    assert other.overrides() == []


# New rules


def test_rules_without_the_flag_end_it_and_say_so(tenant: Tenant) -> None:
    tenant.override(5, "Critical")
    tenant.apply(RULES.replace("flag: Logs in", "flag: Comes by"), 8)
    tenant.judge(9)
    [one] = tenant.overrides()
    assert (one.ended_at, one.ended_by) == (after(8), "rules")
    assert one.ended_because == "version 2 of the rules does not have the flag Logs in"
    assert tenant.history()[2:] == [(8, "At Risk", "rule_change")]


def test_rules_without_its_status_end_it_and_those_that_have_it_elsewhere_keep_it(
    tenant: Tenant,
) -> None:
    tenant.override(5, "At Risk")
    tenant.override(5, "Critical", flag="Reports")
    renamed = RULES.replace("At Risk", "Watch")
    tenant.apply(renamed.replace("[Healthy, Watch", "[Healthy, Soso, Watch"), 8)
    tenant.judge(9)
    ended, kept = sorted(tenant.overrides(), key=lambda one: one.flag)
    assert (ended.ended_at, ended.ended_by) == (after(8), "rules")
    assert ended.ended_because == "version 2 of the rules does not have the status At Risk"
    assert kept.ended_at is None
    assert tenant.company.health_status == "Critical"
    assert tenant.history() == [
        AT_FIRST,
        (5, "Critical", "override"),
        (8, "Critical", "rule_change"),
    ]


# What is refused


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (
            lambda t: snooze(t.target(company="no"), after(9), GROUNDS, t.judging(5)),
            NoSuchCompany,
            "There is no company with the id `no`.",
        ),
        (
            lambda t: snooze(t.target("Log in"), after(9), GROUNDS, t.judging(5)),
            NoSuchFlag,
            "no flag `Log in`; did you mean `Logs in`?",
        ),
        (
            lambda t: override(t.target(), "Lost", None, GROUNDS, t.judging(5)),
            NoSuchStatus,
            "no status `Lost`; they have `Healthy`, `At Risk`, `Critical`.",
        ),
        (
            lambda t: snooze(t.target(), after(5), GROUNDS, t.judging(5)),
            EndInPast,
            "2026-01-05 12:00:05 UTC is not ahead",
        ),
        (
            lambda t: snooze(t.target(), after(9), Justification(" ", "ann", "ben"), t.judging(5)),
            InvalidJustification,
            "Say a reason.",
        ),
        (
            lambda t: snooze(t.target(), after(9), Justification("x", "a\0", "ben"), t.judging(5)),
            InvalidJustification,
            "Say an owner on one line of at most 200 characters.",
        ),
        (lambda t: end(t.target(), "ben", t.judging(5)), NotOverridden, "is not snoozed"),
    ],
    ids=["company", "flag", "status", "past end", "no reason", "bad owner", "nothing to end"],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing(
    tenant: Tenant, ask: Callable[[Tenant], OverrideResult], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said.replace("?", r"\?")), transaction():
        ask(tenant)
    assert tenant.overrides() == []
    assert tenant.history() == [AT_FIRST]


WHY = ("--reason", "the contract is on hold", "--owner", "ann@example.com")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["snooze", "no", "Logs in", "--for", "1 day", *WHY], 1, "no company with the id `no`"),
        (["snooze", "acme", "logs in", "--for", "1 day", *WHY], 1, "did you mean `Logs in`?"),
        (
            ["override", "acme", "Logs in", "--status", "Lost", *WHY],
            1,
            "no status `Lost`; they have `Healthy`, `At Risk`, `Critical`.",
        ),
        (["snooze", "acme", "Logs in", "--until", "2020-01-01", *WHY], 1, "is not ahead; it is"),
        (["snooze", "acme", "Logs in", "--for", "0 days", *WHY], 1, "is not ahead; it is"),
        (["snooze", "acme", "Logs in", *WHY], 2, "use --until or --for"),
        (["snooze", "acme", "Logs in", "--for", "2 fortnights", *WHY], 2, "--for: "),
        (["snooze", "acme", "Logs in", "--until", "soon", *WHY], 2, "`soon` is not a time"),
        (
            ["snooze", "acme", "Logs in", "--for", "1 day", "--until", "2099-01-01", *WHY],
            2,
            "not both",
        ),
        (["snooze", "acme", "Logs in", "--for", "1 day", "--owner", "ann"], 2, "--reason"),
        (
            ["snooze", "acme", "Logs in", "--for", "1 day", "--owner", "a", "--reason", " "],
            1,
            "Say a reason.",
        ),
        (["end", "acme", "Logs in"], 1, "`Logs in` of `acme` is not snoozed or overridden."),
        (["list", "--company", "no"], 1, "no company with the id `no`"),
    ],
)
def test_the_command_line_refuses_what_cannot_be_in_one_clear_sentence(
    tenant: Tenant,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    done = CliRunner().invoke(flags, [*arguments, "--org", "o"])
    assert (done.exit_code, done.stdout) == (code, "")
    assert said in done.stderr
    assert tenant.overrides() == []


def test_nothing_is_changed_while_redis_does_not_tell_which_events_wait(
    tenant: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    arguments = ["snooze", "acme", "Logs in", "--for", "1 day", *WHY]
    done = CliRunner().invoke(flags, [*arguments, "--org", "o"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Redis does not answer: ")
    assert done.stderr.endswith(". Nothing was changed.\n")
    assert tenant.overrides() == []


def test_one_whose_time_is_over_cannot_be_ended_any_more(tenant: Tenant) -> None:
    tenant.snooze(5, until=30)
    with pytest.raises(NotOverridden):
        tenant.end(30)
    tenant.judge(31)
    with pytest.raises(NotOverridden):
        tenant.end(32)


# What is told of it


def test_explaining_tells_the_flag_as_judged_the_override_and_the_company_as_it_counts(
    tenant: Tenant,
) -> None:
    tenant.snooze(5, until=30)
    found = tenant.explain(6)
    assert (found.status, found.score) == ("Healthy", 100)
    logs_in, reports = found.flags
    assert (logs_in.status, logs_in.threshold) == ("At Risk", "Less than 2 times in 10 seconds")
    assert logs_in.override == tenant.overrides()[0]
    assert reports.override is None
    assert tenant.explain(30).status == "At Risk"
    assert tenant.explain(30).flags[0].override is None


def test_explaining_tells_when_a_snoozed_flag_itself_changes(tenant: Tenant) -> None:
    tenant.track(1)
    tenant.snooze(5, until=30)
    [logs_in, _] = tenant.explain(6).flags
    assert (logs_in.changes_at, logs_in.changes_to) == (after(10), "At Risk")


def test_the_end_is_foreseen_if_it_will_change_something_and_then_happens_so(
    tenant: Tenant,
) -> None:
    tenant.track(1)
    tenant.snooze(5, until=30)
    [coming] = tenant.forecast(6, until=1_000)
    assert (coming.at, coming.before, coming.after) == (after(30), "Healthy", "At Risk")
    [step] = coming.flags
    assert (step.before, step.after) == ("N/A", "At Risk")
    assert step.description == "Logs in: At Risk (Less than 2 times in 10 seconds)"
    assert tenant.forecast(6, until=29) == []
    tenant.judge(1_000)
    assert tenant.history()[-1] == (30, "At Risk", "override")


def test_an_end_that_changes_nothing_is_not_foreseen(tenant: Tenant) -> None:
    tenant.override(5, "At Risk", until=30)
    assert tenant.forecast(6, until=1_000) == []


def test_a_plan_tells_what_rules_change_of_how_flags_count(tenant: Tenant) -> None:
    tenant.snooze(5, until=300)

    def planned(rules: str) -> list[tuple[str, str]]:
        with transaction():
            found = plan(tenant.id, tenant.version, read_rules(rules), after(6))
            return [(one.before, one.after) for one in found if one is not None]

    assert planned(RULES.replace("less than 2", "less than 9")) == []
    renamed = RULES.replace("flag: Logs in", "flag: Comes by")
    assert planned(renamed) == [("Healthy", "At Risk")]
    tenant.apply(renamed, 6)
    tenant.judge(6)
    assert tenant.history()[-1] == (6, "At Risk", "rule_change")


def test_a_backtest_replays_flags_as_they_are_judged(tenant: Tenant, settings: Settings) -> None:
    tenant.snooze(5, until=30)
    tenant.judge(60)
    stretch = ReplayPeriod(after(-1), after(60))
    [[replayed]] = backtest(settings, [tenant.company.id], [read_rules(RULES)], stretch)
    assert [(t.at, t.after) for t in replayed.replays[0].transitions] == [(T0, "At Risk")]
    with transaction():
        counts = [
            flag_overrides.count_between(tenant.id, since=after(since), until=after(until))
            for since, until in ((-1, 60), (-1, 4), (30, 60), (29, 60))
        ]
    assert counts == [1, 0, 0, 1]


def test_due_overrides_are_found_by_their_index(tenant: Tenant) -> None:
    with transaction():
        query(
            "insert into flag_overrides (organization_id, company_id, flag, kind, reason, owner,"
            " made_by, starts_at, ends_at, ended_at, start_recorded, end_recorded)"
            " select %(o)s, %(c)s, 'f' || n, 'snooze', 'r', 'o', 'm', now(), now(), now(), true,"
            " n %% 100 > 0 from generate_series(1, 20000) n",
            {"o": tenant.id, "c": tenant.company.id},
        )
        query("analyze flag_overrides")
        due = query(
            "explain select company_id, due_at from flag_overrides where due_at <= now()"
            " order by due_at limit 500"
        )
        of_company = query(
            "explain select id from flag_overrides where company_id = any(array[1]) and not"
            " end_recorded"
        )
    assert any("flag_overrides_due" in row["QUERY PLAN"] for row in due)
    assert any("flag_overrides_open" in row["QUERY PLAN"] for row in of_company)
