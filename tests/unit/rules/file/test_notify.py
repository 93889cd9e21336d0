"""`notify` is read as it is written, and every mistake in it is a fault with a remedy."""

import pytest

from rules.file.rule_file import check_rules, read_rules
from rules.notify.entries import OWNER, Service

FILE = """version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: }
team: {owner: company.csm}
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 7 days}
notify:
"""
URL = "https://hooks.example.com/services/T0/B0/secret"


def faults(entry: str, text: str = FILE) -> list[tuple[int, int, str]]:
    checked = check_rules(text + entry)
    assert checked.book is None
    return [(fault.line, fault.column, fault.message) for fault in checked.faults]


def test_entries_are_read_as_written() -> None:
    slack, email = read_rules(f"""{FILE}
  - to: {{slack: {URL}}}
    when: status becomes Critical
    where: {{company.plan: Enterprise}}
    group: together within 10 minutes
    quiet: 18:00-08:00 and weekends in Europe/Berlin
  - to: {{email: [owner, ann@acme.com]}}
    digest: Mondays and Thursdays at 8:00 in Europe/Berlin
""").notify
    assert (slack.target.service, slack.target.url, slack.target.names) == (Service.SLACK, URL, ())
    assert [str(condition) for condition in slack.when] == ["status becomes Critical"]
    assert slack.where == ((("plan",), ("Enterprise",)),)
    assert str(slack.schedule) == (
        "together within 10 minutes; quiet 18:00-08:00 and weekends in Europe/Berlin"
    )
    assert email.target.names == (OWNER, "ann@acme.com")
    assert str(email.schedule) == "digest Mondays and Thursdays at 08:00 in Europe/Berlin"
    assert [str(condition) for condition in email.when] == ["status changes"]


@pytest.mark.parametrize(
    ("entry", "column", "message"),
    [
        ("- to: slack", 9, "`to` names a service; write for example"),
        ("- to: {slack: a, email: owner}", 9, "`to` names one service; write for example"),
        (
            "- to: {sms: a}",
            10,
            "`sms` is not known in `to`; known are `slack`, `teams` and `email`",
        ),
        ("- when: status changes", 5, "an entry of `notify` lacks `to`"),
        ("- to: {email: bob}", 17, "`bob` is no email address; write one, or `owner`"),
        ("- {to: {email: owner}, wen: status changes}", 26, "did you mean `when`?"),
        (
            "- {to: {slack: a}, when: status is Critical}",
            35,
            "`is` is not understood here; write `becomes`, as in `status becomes Critical`",
        ),
        (
            "- {to: {slack: a}, when: status becomes Criticl}",
            43,
            "the status `Criticl` is not known; did you mean `Critical`?",
        ),
        (
            "- {to: {slack: a}, when: flag Log in is raised}",
            28,
            "there is no flag `Log in`; did you mean `Logs in`?",
        ),
        (
            "- {to: {slack: a}, when: flag Logs in is Critical}",
            33,
            "write `becomes` or `is raised`, as in `flag Usage drop becomes At Risk`",
        ),
        (
            "- {to: {slack: a}, quiet: 18:00-08:00 in Berlin}",
            44,
            "the time zone `Berlin` is not known; did you mean `Europe/Berlin`?",
        ),
        (
            "- {to: {slack: a}, quiet: 08:00-20:00 and 20:00-08:00 in UTC}",
            29,
            "it would always be quiet, so nothing would ever be sent",
        ),
        (
            "- {to: {slack: a}, group: together within 2 days}",
            38,
            "2 days is too long; together is within 24 hours at most. For more, use `digest`",
        ),
        (
            "- {to: {slack: a}, digest: daily at 25:00 in UTC}",
            39,
            "`25:00` is not a time of the day",
        ),
        (
            "- {to: {slack: a}, digest: daily at 08:00 in UTC, quiet: weekends in UTC}",
            60,
            "a digest is sent at its own time; leave out `quiet`",
        ),
        ("- {to: {slack: a}, where: {plan: Pro}}", 30, "write for example `company.plan`"),
    ],
)
def test_a_mistake_is_explained_at_its_place(entry: str, column: int, message: str) -> None:
    [(line, found_column, found)] = faults(f"  {entry}\n")
    assert line == 10
    assert message in found
    assert found_column == column


def test_the_owner_needs_the_field_with_it() -> None:
    text = FILE.replace("team: {owner: company.csm}\n", "")
    [(_, _, message)] = faults("  - to: {email: owner}\n", text)
    assert "write for example `team: {owner: company.csm}`" in message


def test_a_status_that_a_flag_never_raises_gets_a_warning() -> None:
    checked = check_rules(f"{FILE}  - to: {{slack: a}}\n    when: flag Logs in becomes Critical\n")
    [warning] = checked.warnings
    assert (warning.line, warning.column) == (11, 11)
    assert "no phrase of the flag raises that status" in warning.message


@pytest.mark.parametrize("entry", [f"- to: {URL}", f"- to: {{email: {URL}}}", f"- {URL}"])
def test_no_fault_shows_a_url(entry: str) -> None:
    text = f"{FILE}  {entry}\n"
    shown = [fault.in_context("health.yaml", text) for fault in check_rules(text).faults]
    assert shown
    assert not any("secret" in fault or "T0" in fault for fault in shown)
    assert all("https://hooks.example.com/***" in fault for fault in shown)
