"""Overrides that are refused, by the service and on the command line."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner

from cli.commands.flags import flags
from config.settings import Settings
from models.database import transaction
from services.health.overrides import (
    EndInPast,
    InvalidJustification,
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
from tests.support.overrides import AT_FIRST, JUSTIFICATION, Tenant

pytestmark = pytest.mark.usefixtures("settings")


@pytest.mark.parametrize(
    ("attempt", "error", "message"),
    [
        (
            lambda t: snooze(t.target(company="no"), t.at(9), JUSTIFICATION, t.judging(5)),
            NoSuchCompany,
            "There is no company with the id `no`.",
        ),
        (
            lambda t: snooze(t.target("Log in"), t.at(9), JUSTIFICATION, t.judging(5)),
            NoSuchFlag,
            "no flag `Log in`; did you mean `Logs in`?",
        ),
        (
            lambda t: override(t.target(), "Lost", None, JUSTIFICATION, t.judging(5)),
            NoSuchStatus,
            "no status `Lost`; they have `Healthy`, `At Risk`, `Critical`.",
        ),
        (
            lambda t: snooze(t.target(), t.at(5), JUSTIFICATION, t.judging(5)),
            EndInPast,
            "2026-01-05 12:00:05 UTC is not ahead",
        ),
        (
            lambda t: snooze(t.target(), t.at(9), Justification(" ", "ann", "ben"), t.judging(5)),
            InvalidJustification,
            "State a reason.",
        ),
        (
            lambda t: snooze(t.target(), t.at(9), Justification("x", "a\0", "ben"), t.judging(5)),
            InvalidJustification,
            "State an owner on one line of at most 200 characters.",
        ),
        (lambda t: end(t.target(), "ben", t.judging(5)), NotOverridden, "is not snoozed"),
    ],
    ids=["company", "flag", "status", "past end", "no reason", "bad owner", "nothing to end"],
)
def test_an_impossible_override_is_refused_in_a_sentence_and_changes_nothing(
    tenant: Tenant,
    attempt: Callable[[Tenant], OverrideResult],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message.replace("?", r"\?")), transaction():
        attempt(tenant)
    assert tenant.overrides() == []
    assert tenant.crossings() == [AT_FIRST]


WHY = ("--reason", "the contract is on hold", "--owner", "ann@example.com")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
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
            "State a reason.",
        ),
        (["end", "acme", "Logs in"], 1, "`Logs in` of `acme` is not snoozed or overridden."),
        (["list", "--company", "no"], 1, "no company with the id `no`"),
    ],
)
def test_the_command_line_refuses_an_impossible_override_in_one_sentence(
    tenant: Tenant,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    result = CliRunner().invoke(flags, [*arguments, "--org", "o"])
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert tenant.overrides() == []


def test_nothing_is_changed_while_the_backlog_cannot_be_read(
    tenant: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    arguments = ["snooze", "acme", "Logs in", "--for", "1 day", *WHY]
    result = CliRunner().invoke(flags, [*arguments, "--org", "o"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Redis does not answer: ")
    assert result.stderr.endswith(". Nothing was changed.\n")
    assert tenant.overrides() == []


def test_an_override_that_has_ended_cannot_be_ended_again(tenant: Tenant) -> None:
    tenant.snooze(5, until=30)
    with pytest.raises(NotOverridden):
        tenant.end(30)
    tenant.judge("acme", 31)
    with pytest.raises(NotOverridden):
        tenant.end(32)
