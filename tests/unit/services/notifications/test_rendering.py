"""Every kind of message is valid for its service, with any names, and lists each change once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from typing import Any
from uuid import UUID

import orjson
import pytest

from models.notifications.message_log import ChangeOfMessage
from models.notifications.messages import Message, State
from services.notifications import email, slack, teams
from services.notifications.content import Content, Setting, compose, compose_test
from tests.support.notifications.channels import check_slack, check_teams

NOW = datetime(2026, 11, 23, 9, 14, tzinfo=UTC)
STATUSES = ("Healthy", "At Risk", "Critical")

NAMES = (
    "Acme",
    "x" * 200,
    "<!channel> & <https://evil.example|click>",
    "*bold* _it_ [link](https://evil.example) `code` \\",
    "\N{ARABIC LETTER SEEN}\N{ARABIC LETTER LAM} \N{RIGHT-TO-LEFT OVERRIDE}abc",
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} Labs",
    "two\nlines\tand a tab",
    "<b>HTML</b> \"quoted\" 'too'",
    "\N{ZERO WIDTH SPACE}",
)


def change(number: int, before: str = "Healthy", after: str = "Critical") -> ChangeOfMessage:
    name = NAMES[number % len(NAMES)]
    raised = {"flag": name, "from": before, "to": after, "threshold": "Less than 2 times in 7 days"}
    return ChangeOfMessage(
        f"c{number}/|>", name, NOW + timedelta(minutes=number), before, after,
        [raised, {**raised, "reason": name}, raised], name, Decimal("12000.50"), date(2027, 3, 31),
    )  # fmt: skip


def message(schedule: str = "at once", rules_version: int | None = None) -> Message:
    return Message(
        1, UUID(int=1), "slack", "cs", False, schedule, None, rules_version, State.OPEN, NOW, NOW,
        NOW, None, 0, None, 0, None, None,
    )  # fmt: skip


def composed(changes: Sequence[ChangeOfMessage], total: int = 0, **options: Any) -> Content:
    counts = Counter(each.to_status for each in changes)
    counts[changes[0].to_status] += max(0, total - len(changes))
    by_status = {status: (number, number) for status, number in counts.items()}
    setting = Setting("Acme & <Söhne>", STATUSES, "Europe/Berlin")
    return compose(message(**options), changes, by_status, setting)


KINDS = {
    "one change": composed([change(0)]),
    "a flag alone": composed([change(1, "Critical", "Critical")]),
    "a recovery": composed([change(2, "Critical", "Healthy")]),
    "no applicable flag": composed([change(3, "At Risk", "N/A")]),
    "together": composed([change(number) for number in range(9)]),
    "a change of rules": composed([change(n) for n in range(100)], 300, rules_version=7),
    "a digest": composed(
        [change(n, *(("Critical", "Healthy") if n % 2 else ())) for n in range(40)],
        schedule="digest Mondays at 08:00 in Europe/Berlin",
    ),
    "a test": compose_test("Acme & <Söhne>", "cs-alerts"),
}


def parsed_by_slack(body: dict[str, Any]) -> list[str]:
    """Return the texts in which Slack looks for links and mentions."""
    objects = [o for b in body["blocks"] for o in (b.get("text"), *b.get("elements", ()))]
    return [body["text"], *(o["text"] for o in objects if o and o["type"] == "mrkdwn")]


@pytest.mark.parametrize("base_url", [None, "https://health.acme.com"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_valid_for_slack_and_for_teams(kind: str, base_url: str | None) -> None:
    content = Content.from_json(orjson.loads(orjson.dumps(KINDS[kind].as_json())))
    assert content == KINDS[kind]
    to_slack = slack.render(content, base_url)
    check_slack(to_slack)
    assert not any("<!" in text or "|click>" in text for text in parsed_by_slack(to_slack))
    to_teams = teams.render(content, base_url)
    check_teams(to_teams, len(orjson.dumps(to_teams)))
    sections = [block for block in to_slack["blocks"] if block["type"] == "section"]
    card = to_teams["attachments"][0]["content"]
    containers = [part for part in card["body"] if part["type"] == "Container"]
    if len(content.lines) <= len(NAMES):
        assert len(sections) == len(containers) == len(content.lines)
    for shown, text in ((len(sections), to_slack), (len(containers), card)):
        others = len(content.lines) + content.others - shown
        assert (f"and {others:,} other" in str(text)) == (others > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_an_email_that_lists_every_line_in_text_and_html(kind: str) -> None:
    content = KINDS[kind]
    sent = email.render(
        content, "https://health.acme.com", message_id=UUID(int=1), sender="health@acme.com",
        recipient="ann@acme.com", at=NOW,
    )  # fmt: skip
    received = message_from_bytes(sent.as_bytes(), policy=default)
    assert received["Subject"] == content.title[: email.LONGEST_SUBJECT]
    text, html = (part.get_content() for part in received.iter_parts())
    for line in content.lines:
        assert f"{line.company}: {line.change}" in text
        assert line.path in text
    assert html.count("<strong>") == len(content.lines)
    assert "<b>" not in html
    assert (f"and {content.others:,} others" in text) == (content.others > 0)


@pytest.mark.parametrize("name", ["\N{ZERO WIDTH JOINER}", "\N{COMBINING ACUTE ACCENT}", " \t"])
def test_a_company_whose_name_cannot_be_seen_is_called_by_its_id(name: str) -> None:
    content = composed([replace(change(0), name=name)])
    assert content.title == "c0/|> is Critical"
    assert content.lines[0].company == "c0/|>"
