"""Changes of health are sent to people: each once, in few messages, within documented limits."""

import ipaddress
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography.fernet import Fernet

from config.settings import Settings
from config.smtp import SmtpSettings
from models import across_organizations
from models.database import transaction
from models.encrypted_secrets import decrypt
from models.notifications import destinations, message_log
from models.notifications.messages import Message
from models.organizations import audit_log, rule_versions
from rules.faults import RuleFileError
from services.accounts.audit import Maker
from services.notifications.claims import claim
from services.notifications.delivery import Sender
from services.notifications.rule_text import UrlKeeper
from services.rules.apply_rules import AppliedRules, Origin, apply_rules
from services.rules.rule_books import RuleBooks
from services.secret_rotation import rotate
from services.times import utc_now
from services.webhooks.addresses import AddressPolicy
from services.webhooks.transport import Transport
from tests.support.in_transactions import evaluate
from tests.support.notifications.channels import Channel, channel
from tests.support.ports import free_port
from tests.support.world import World

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")

RULES = """version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: }
team: {owner: company.csm, value: company.arr}
flags:
  - {flag: Size, when: {Critical: company.seats below 5}}
notify:
"""


class Mailbox:
    """An SMTP server that keeps emails, unless it is told to refuse them."""

    def __init__(self) -> None:
        self.emails: list[Any] = []
        self.reply = "250 OK"

    async def handle_DATA(  # noqa: N802 -- as aiosmtpd calls it
        self, _server: object, _session: object, envelope: Any
    ) -> str:
        if self.reply.startswith("250"):
            self.emails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return self.reply


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, SmtpSettings]]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, SmtpSettings("127.0.0.1", "health@acme.com", port, "none")
    controller.stop()


@pytest.fixture
def slack() -> Iterator[Channel]:
    with channel("slack") as served:
        yield served


@pytest.fixture
def teams() -> Iterator[Channel]:
    with channel("teams") as served:
        yield served


class Notified:
    """An organization with entries, and a sender of its messages."""

    def __init__(self, settings: Settings, smtp: SmtpSettings | None = None) -> None:
        self.world = World.create(None, start=utc_now() - timedelta(minutes=1))
        self.keeper = UrlKeeper(settings.secret_keys, [LOOPBACK], Maker("ann@acme.com"))
        self.sender = Sender(
            Transport(AddressPolicy([LOOPBACK]), settings.webhooks),
            RuleBooks(), settings.secret_keys, smtp, "https://health.acme.com/",
        )  # fmt: skip

    def apply(self, text: str, at: datetime | None = None) -> AppliedRules:
        with transaction():
            return apply_rules(
                self.world.id, text, file="r", applied_by="ann",
                now=at or self.world.at(0), origin=Origin(keeper=self.keeper),
            )  # fmt: skip

    def companies(self, number: int, seats: int, at: float, **fields: Any) -> None:
        """Let companies send an event with their number of seats, and judge them."""
        for n in range(number):
            self.world.track(f"c{n}", at, seats=seats, **fields)
        self.world.judge(at=at)

    def send_due(self, at: datetime | None = None) -> None:
        """Make an attempt of each message that is due by now, or by a later time."""
        with transaction():
            due = across_organizations.find_due_messages(until=at or utc_now(), limit=100)
        for message in due:
            self.sender.send(message.organization_id, message.message_id)

    def end_waits(self) -> None:
        """Let leases and pauses end now, as if their time had passed."""
        for change in (
            "update notification_messages set due_at = now()",
            "update notification_destinations set blocked_until = null",
        ):
            self.world.rows(f"{change} where organization_id = %(id)s returning 1")

    def messages(self) -> list[Message]:
        with transaction():
            return message_log.list_newest(self.world.id, limit=100)


def texts(message: dict[str, Any]) -> str:
    return str(message["blocks"])


def test_a_pasted_url_is_stored_encrypted_and_named_in_the_text(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    entry = f"  - to: {{slack: {slack.url}}}  # CS\n"
    applied = acme.apply(RULES + entry)
    assert [url.name for url in applied.kept_urls] == ["slack-1"]
    with transaction():
        [version] = rule_versions.list_after(acme.world.id, 0)
        [stored] = destinations.list_for_organization(acme.world.id)
        log = audit_log.read_page(acme.world.id, limit=10)
    assert version.source == f"{RULES}  - to: {{slack: slack-1}}  # CS\n"
    assert "secret" not in f"{stored.encrypted_url}{log}{applied}"
    assert not acme.apply(RULES + entry).changed


def test_a_rotation_encrypts_the_url_of_a_destination_with_the_new_key(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    new = Fernet.generate_key().decode()
    found = rotate([acme.world.organization], [new, *settings.secret_keys])
    assert (found.outdated, found.unreadable) == (1, [])
    with transaction():
        [stored] = destinations.list_for_organization(acme.world.id)
    assert decrypt(stored.encrypted_url, [new]) == slack.url
    acme.companies(1, 2, 1)
    replace(acme.sender, secret_keys=[new]).send(acme.world.id, acme.messages()[0].id)
    assert [message.state for message in acme.messages()] == ["sent"]


def test_a_name_without_a_destination_is_refused(settings: Settings) -> None:
    with pytest.raises(RuleFileError, match="there is no Slack destination `cs`"):
        Notified(settings).apply(f"{RULES}  - to: {{slack: cs}}\n")


def test_one_change_of_rules_that_moves_300_companies_is_one_message(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    entry = f"  - to: {{slack: {slack.url}}}\n"
    acme.apply(RULES + entry)
    acme.companies(300, 9, 1, arr=12_000, csm="ann@acme.com")
    assert acme.messages() == []
    acme.apply(RULES.replace("below 5", "below 10") + entry, acme.world.at(2))
    ids = acme.world.company_ids()
    for start in range(0, 300, 100):
        evaluate(ids[start : start + 100], acme.world.rulebooks, acme.world.at(3))
        acme.send_due()
    acme.end_waits()
    acme.send_due()
    [message] = acme.messages()
    assert (message.state, message.number) == ("sent", 300)
    [sent] = slack.messages
    assert slack.refused == []
    assert "300 companies are Critical" in texts(sent)
    assert "others" in texts(sent)
    assert "https://health.acme.com/o/" in texts(sent)


def test_a_workflow_of_teams_gets_a_card_that_lists_as_many_companies_as_fit(
    settings: Settings, teams: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{teams: {teams.url}}}\n    group: together within 10 minutes\n")
    for number in range(120):
        name = f"*{number}* [x](https://evil.example) {'long ' * 30}"
        acme.world.track(f"c{number}", 1, seats=2, name=name, csm="ann@acme.com", arr=12_000)
    acme.world.judge(at=1)
    acme.send_due(utc_now() + timedelta(minutes=5))
    acme.end_waits()
    acme.send_due()
    [message] = acme.messages()
    assert (teams.refused, message.state, message.number) == ([], "sent", 120)
    [sent] = teams.messages
    card = sent["attachments"][0]["content"]
    listed = [part for part in card["body"] if part["type"] == "Container"]
    assert card["body"][0]["text"] == "120 companies are Critical"
    assert 10 < len(listed) < 100, "the card is cut before what is composed ends"
    assert card["body"][-1]["text"] == f"and {120 - len(listed)} others"
    assert "\\\\[x\\\\](https://evil.example)" in repr(listed[0]), "a name makes no link"
    assert card["actions"][0]["url"].startswith("https://health.acme.com/o/")


def test_a_killed_sender_sends_the_same_once_more_and_later_changes_in_the_next_message(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    acme.companies(1, 2, 1)
    [message] = acme.messages()
    claimed = claim(acme.world.id, message.id, RuleBooks(), utc_now())
    assert claimed is not None
    acme.sender._attempt(claimed, utc_now())  # noqa: SLF001 -- and then the process is killed
    acme.companies(2, 3, 5)
    acme.end_waits()
    time.sleep(1)
    acme.send_due()
    time.sleep(1.1)
    acme.send_due()
    numbers = sorted((m.state.value, m.number) for m in acme.messages())
    assert numbers == [("sent", 1), ("sent", 1)]
    assert sorted(m["text"] for m in slack.messages) == [
        "C0 is Critical", "C0 is Critical", "C1 is Critical",
    ]  # fmt: skip


def test_a_destination_that_is_gone_is_disabled_and_its_message_kept(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    acme.companies(1, 2, 1)
    slack.answer(404, "no_service")
    acme.send_due()
    with transaction():
        [destination] = destinations.list_for_organization(acme.world.id)
    assert destination.disabled_because == "answered 404: no_service"
    [message] = acme.messages()
    assert (message.state, message.due_at, message.last_error) == (
        "waiting", None, "answered 404: no_service",
    )  # fmt: skip


def test_retry_after_is_respected(settings: Settings, slack: Channel) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    acme.companies(1, 2, 1)
    slack.answer(429, "rate_limited", Retry_After="90")
    acme.send_due()
    [message] = acme.messages()
    assert message.due_at is not None
    assert message.due_at > utc_now() + timedelta(seconds=80)


def test_each_owner_gets_an_email_about_their_own_companies(
    settings: Settings, mailbox: tuple[Mailbox, SmtpSettings]
) -> None:
    box, smtp = mailbox
    acme = Notified(settings, smtp)
    acme.apply(f"{RULES}  - to: {{email: owner}}\n")
    for company, owner in (("a", "ann@acme.com"), ("b", "bob@acme.com"), ("c", "Nobody")):
        acme.world.track(company, 1, seats=1, csm=owner, name=f"{company} <b>x</b>")
    acme.world.judge(at=1)
    acme.send_due()
    assert sorted(to for [to], _ in box.emails) == ["ann@acme.com", "bob@acme.com"]
    email = next(email for [to], email in box.emails if to == "ann@acme.com")
    assert email["Message-ID"].endswith("@acme.com>")
    html = email.get_payload()[1].get_payload(decode=True).decode()
    assert "a &lt;b&gt;x&lt;/b&gt;" in html
    [failed] = [m for m in acme.messages() if m.state == "failed"]
    assert "the owner `nobody` is no member" in str(failed.last_error)


@pytest.mark.parametrize(
    ("reply", "state"), [("550 no such user", "failed"), ("451 later", "waiting")]
)
def test_an_email_is_given_up_only_after_a_permanent_reply(
    settings: Settings, mailbox: tuple[Mailbox, SmtpSettings], reply: str, state: str
) -> None:
    box, smtp = mailbox
    box.reply = reply
    acme = Notified(settings, replace(smtp))
    acme.apply(f"{RULES}  - to: {{email: head@acme.com}}\n")
    acme.companies(1, 2, 1)
    acme.send_due()
    [message] = acme.messages()
    assert message.state == state
    assert reply in str(message.last_error)
