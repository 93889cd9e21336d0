"""Messages to people arrive, complete and each change once, while their sender is killed."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.support.notifications.channels import Channel, channel
from tests.support.notifications.mailbox import FROM, Mailbox, serving_mailbox
from tests.support.product.brazebee_process import Brazebee, eventually

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

RULES = """\
version: 1
statuses: [Healthy, Critical]
events: {login: }
team: {owner: company.csm}
flags:
  - {flag: Size, when: {Critical: company.seats below 5}}
notify:
  - to: {slack: at-once}
  - to: {teams: at-once}
  - to: {email: owner}
"""

DIGEST = "  - {{to: {to}, digest: 'daily at {at:%H:%M} in UTC'}}\n"

OWNER = "ann@acme.com"
HEAD = "head@acme.com"

KILLS = 3

Change = tuple[str, str]
"""The name of a company, and its change such as `Healthy → Critical`."""

LINE = re.compile(r"(C\d+)\W+(N/A|Healthy|Critical) → (N/A|Healthy|Critical)")


class Product:
    """A running product whose rules notify people at once, and in a digest at a minute."""

    def __init__(self, brazebee: Brazebee, places: dict[str, Channel], mailbox: Mailbox) -> None:
        self.brazebee, self.places, self.mailbox = brazebee, places, mailbox
        self.companies = 0

    def apply(self, folder: Path) -> datetime:
        """Apply rules with a digest at the next minute but 15 seconds; return that instant."""
        for name, place in self.places.items():
            command = ("notify", "add", *name.split(), place.url)
            assert self.brazebee.run(*command).returncode == 0
        at = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
        to = ("{slack: digest}", "{teams: digest}", f"{{email: {HEAD}}}")
        file = folder / "rules.yaml"
        file.write_text(RULES + "".join(DIGEST.format(to=each, at=at) for each in to))
        applied = self.brazebee.run("rules", "apply", str(file))
        assert applied.returncode == 0, applied.stderr
        return at

    def change(self, seats: int, company: int | None = None) -> None:
        """Let a company send an event with its number of seats; a new one by default."""
        if company is None:
            self.companies += 1
            company = self.companies
        fields = {"id": f"c{company}", "name": f"C{company}", "seats": seats, "csm": OWNER}
        sent = self.brazebee.track({"event_key": "login", "company": fields})
        assert sent.status_code == 200, sent.text

    def kill_sender(self) -> list[str]:
        """Kill the process that sends, and wait until another runs; return the leases it left."""
        before = self.brazebee.pids()["deliver.1"]
        assert self.brazebee.kill("deliver.1")
        left = self.brazebee.query(
            "select lease_token from notification_messages where lease_token is not null"
        )
        eventually(lambda: self.brazebee.pids().get("deliver.1", before) != before)
        return [str(token) for (token,) in left]

    def transitions(self) -> Counter[Change]:
        """Return all health changes that were recorded."""
        return self._changes("transitions", "true")

    def changes_in(self, where: str) -> Counter[Change]:
        """Return the changes in messages."""
        return self._changes(
            "notification_changes join notification_messages m on m.id = message_id", where
        )

    def _changes(self, table: str, where: str) -> Counter[Change]:
        rows = self.brazebee.query(
            "select c.name, from_status || ' → ' || to_status"
            f" from {table} join companies c on c.id = company_id where {where}"
        )
        return Counter((str(name), str(change)) for name, change in rows)

    def unfinished(self) -> list[tuple[Any, ...]]:
        """Return the messages that are due and not sent."""
        return self.brazebee.query(
            "select service, recipient, state, number, attempts, last_error, now(), due_at,"
            " lease_token from notification_messages"
            " where state <> 'sent' and not (state = 'open' and schedule like 'digest%')"
        )

    @contextmanager
    def locked(self, service: str, name: str) -> Iterator[Callable[[], bool]]:
        """Lock a destination; yields whether a process waits for it."""
        with closing(psycopg2.connect(self.brazebee.servers["DATABASE_URL"])) as own:
            with own.cursor() as cursor:
                cursor.execute(
                    "select from notification_destinations where service = %s and name = %s"
                    " for update",
                    (service, name),
                )
                assert cursor.rowcount == 1
            yield lambda: bool(
                self.brazebee.query(
                    "select 1 from pg_stat_activity where wait_event_type = 'Lock'"
                    " and query like '%notification_destinations%'"
                )
            )

    def end_leases(self, tokens: list[str]) -> None:
        """End leases that a killed process left, as after a minute."""
        leases = "(" + ", ".join(f"'{token}'" for token in tokens) + ")"
        self.brazebee.execute(
            "update notification_destinations d set blocked_until = now()"
            " from notification_messages m where m.service = d.service and m.recipient = d.name"
            f" and m.lease_token in {leases};"
            " update notification_messages set due_at = now() where due_at in"
            f" (select due_at from notification_messages where lease_token in {leases})"
        )

    def wait_until_finished(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while unfinished := self.unfinished():
            if time.monotonic() > deadline:
                pytest.fail("\n".join(map(str, [*unfinished, *self.brazebee.output[-40:]])))
            time.sleep(0.2)


@pytest.fixture
def product(own_brazebee: Brazebee, tmp_path: Path) -> Iterator[Product]:
    with ExitStack() as stack:
        mailbox = stack.enter_context(serving_mailbox())
        names = ("slack at-once", "slack digest", "teams at-once", "teams digest")
        places = {name: stack.enter_context(channel(name.split()[0])) for name in names}
        own_brazebee.environment |= {
            "BRAZEBEE_SMTP_HOST": mailbox.settings.host,
            "BRAZEBEE_SMTP_PORT": str(mailbox.settings.port),
            "BRAZEBEE_SMTP_TLS": mailbox.settings.tls,
            "BRAZEBEE_SMTP_FROM": FROM,
            "BRAZEBEE_DASHBOARD_URL": "https://health.acme.com",
            "BRAZEBEE_WEBHOOK_TIMEOUT": "45s",  # requests stay open until their sender is killed
        }
        own_brazebee.start(dashboard=0, backtest=0)
        yield Product(own_brazebee, places, mailbox)


def texts_of(place: Channel) -> list[str]:
    """Return the texts of the messages in a channel, without Markdown and links."""
    return [re.sub(r"<[^|>]*\||[*>\\\[\]]|\(https?:[^)]*\)", " ", str(m)) for m in place.messages]


def changes_of(texts: Iterable[str]) -> list[Counter[Change]]:
    """Return the changes that each message lists."""
    return [
        Counter((name, f"{before} → {after}") for name, before, after in LINE.findall(text))
        for text in texts
    ]


def emails_of(mailbox: Mailbox, recipient: str) -> list[str]:
    """Return the plain texts of the emails to a recipient."""
    return [
        email.get_payload()[0].get_payload(decode=True).decode()  # type: ignore[index, union-attr]
        for email in mailbox.received(recipient)
    ]


def repeats(sent: list[Counter[Change]], expected: Counter[Change]) -> int:
    """Check that each change is in one message; return how often messages came once more."""
    distinct = list({frozenset(changes.items()): changes for changes in sent}.values())
    assert sum(distinct, Counter()) == expected
    return len(sent) - len(distinct)


def kill_during_requests(product: Product) -> float:
    """Kill the sender while a request to Slack and an email are not answered; return when."""
    slack, mailbox = product.places["slack at-once"], product.mailbox
    slack.answers_at_once.clear()
    mailbox.answers.clear()
    product.change(2, company=1)
    eventually(lambda: slack.messages and mailbox.received(OWNER))
    product.kill_sender()
    slack.answers_at_once.set()
    mailbox.answers.set()
    return time.monotonic()


def kill_before_claim(product: Product) -> None:
    """Kill the sender while it claims a message to Teams."""
    with product.locked("teams", "at-once") as is_waited_for:
        product.change(2, company=2)
        eventually(is_waited_for)
        product.kill_sender()


def kill_at_the_digest(product: Product, digest_at: datetime) -> list[str]:
    """Kill the sender at a digest, while companies change; return the leases that it left.

    The request to Slack is open, the answer of Teams is not recorded, and the mail server has not
    greeted.
    """
    slack, teams = product.places["slack digest"], product.places["teams digest"]
    while datetime.now(UTC) < digest_at - timedelta(seconds=4):
        time.sleep(0.2)
    slack.answers_at_once.clear()
    teams.answers_at_once.clear()
    product.mailbox.greets.clear()
    connections = product.mailbox.connections
    while not (slack.messages and teams.messages and product.mailbox.connections > connections):
        product.change(2)
        time.sleep(0.5)
        assert datetime.now(UTC) < digest_at + timedelta(seconds=60)
    with product.locked("teams", "digest") as is_waited_for:
        teams.answers_at_once.set()
        eventually(is_waited_for)
        leases = product.kill_sender()
    slack.answers_at_once.set()
    product.mailbox.greets.set()
    return leases


def test_every_change_arrives_in_one_message_though_its_sender_is_killed_at_any_moment(
    product: Product, tmp_path: Path
) -> None:
    digest_at = product.apply(tmp_path)
    for _ in range(2):
        product.change(9)
    killed_at = kill_during_requests(product)
    kill_before_claim(product)
    leases = kill_at_the_digest(product, digest_at)
    product.change(9, company=1)
    slack = product.places["slack at-once"]
    # The leases of the first attempts end by themselves, after a minute.
    eventually(lambda: len(slack.messages) >= 2, killed_at + 90 - time.monotonic())
    product.end_leases(leases)
    product.wait_until_finished(60)

    expected = product.transitions()
    digests = "m.service = 'slack' and m.schedule like 'digest%' and m.state = "
    closed, later = (product.changes_in(f"{digests}'{state}'") for state in ("sent", "open"))
    assert closed + later == expected
    assert later
    sent = {name: changes_of(texts_of(place)) for name, place in product.places.items()}
    to_owner, to_head = (changes_of(emails_of(product.mailbox, to)) for to in (OWNER, HEAD))
    # Each kill may have struck what was sent at once besides the requests that were kept open.
    assert 1 <= repeats(sent["slack at-once"], expected) <= KILLS
    assert 0 <= repeats(sent["teams at-once"], expected) <= KILLS
    assert 1 <= repeats(to_owner, expected) <= KILLS
    assert repeats(sent["slack digest"], closed) == 1
    assert repeats(sent["teams digest"], closed) == 1
    assert repeats(to_head, closed) == 0

    commands = [("notify", "test", name) for name in ("slack at-once", "slack at-once", HEAD)]
    assert [product.brazebee.run(*command).stdout for command in commands] == ["Accepted.\n"] * 3
    assert [place.refused for place in product.places.values()] == [[], [], [], []]
    metrics = product.brazebee.run("metrics").stdout
    assert 'brazebee_notification_attempts_total{outcome="sent",service="teams"}' in metrics
    assert 'outcome="refused"' not in metrics
