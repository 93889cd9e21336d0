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

    def kill_sender(self) -> None:
        """Kill the process that sends, and wait until another one runs."""
        before = self.brazebee.pids()["deliver.1"]
        assert self.brazebee.kill("deliver.1")
        eventually(lambda: self.brazebee.pids().get("deliver.1", before) != before)

    def transitions(self) -> Counter[Change]:
        """Return all changes of health that were recorded."""
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
            "select service, recipient, state, last_error from notification_messages"
            " where state <> 'sent' and not (state = 'open' and schedule like 'digest%')"
        )

    @contextmanager
    def unrecordable(self, service: str, recipient: str) -> Iterator[Callable[[], bool]]:
        """Lock the messages to a recipient; yields whether somebody waits for such a lock."""
        with closing(psycopg2.connect(self.brazebee.servers["DATABASE_URL"])) as own:
            with own.cursor() as cursor:
                cursor.execute(
                    "select from notification_messages where service = %s and recipient = %s"
                    " and state <> 'sent' for update",
                    (service, recipient),
                )
                assert cursor.rowcount
            yield lambda: bool(
                self.brazebee.query(
                    "select 1 from pg_stat_activity where wait_event_type = 'Lock'"
                    " and query like '%notification_messages%'"
                )
            )

    def end_leases(self) -> None:
        """End the leases that a killed process left, as after a minute."""
        self.brazebee.execute(
            "update notification_messages set due_at = now() where lease_token is not null;"
            " update notification_destinations set blocked_until = now()"
        )


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


def check(sent: list[Counter[Change]], expected: Counter[Change], repeats: int) -> None:
    """Check that each change was sent once, but for so many messages that came twice."""
    distinct = list({frozenset(changes.items()): changes for changes in sent}.values())
    assert sum(distinct, Counter()) == expected
    assert len(sent) - len(distinct) == repeats


def test_every_change_arrives_in_one_message_though_its_sender_is_killed_at_any_moment(
    product: Product, tmp_path: Path
) -> None:
    slack, teams = product.places["slack at-once"], product.places["teams at-once"]
    to_slack, to_teams = product.places["slack digest"], product.places["teams digest"]
    mailbox = product.mailbox
    digest_at = product.apply(tmp_path)
    for _ in range(2):
        product.change(9)

    # The request to Slack is open, and the server of the email has taken it and not answered.
    slack.answers_at_once.clear()
    mailbox.answers.clear()
    product.change(2, company=1)
    eventually(lambda: slack.messages and mailbox.received(OWNER))
    product.kill_sender()
    slack.answers_at_once.set()
    mailbox.answers.set()
    killed_at = time.monotonic()

    # A message is not claimed yet.
    product.change(2, company=2)
    eventually(lambda: product.changes_in("m.state = 'open' and m.service = 'teams'"))
    with product.unrecordable("teams", "at-once") as waits:
        eventually(waits)
        product.kill_sender()

    # At the digest: the request to Slack is open, the answer of Teams is not recorded, and the
    # mail server has not greeted. Companies change all the while.
    while datetime.now(UTC) < digest_at - timedelta(seconds=4):
        time.sleep(0.2)
    to_slack.answers_at_once.clear()
    to_teams.answers_at_once.clear()
    mailbox.greets.clear()
    connections = mailbox.connections
    while not (to_slack.messages and to_teams.messages and mailbox.connections > connections):
        product.change(2)
        time.sleep(0.5)
        assert datetime.now(UTC) < digest_at + timedelta(seconds=40)
    with product.unrecordable("teams", "digest") as waits:
        to_teams.answers_at_once.set()
        eventually(waits)
        product.kill_sender()
    to_slack.answers_at_once.set()
    mailbox.greets.set()
    product.change(9, company=1)

    # The leases of the first attempts end by themselves, after a minute.
    eventually(lambda: len(slack.messages) >= 2, 75 - (time.monotonic() - killed_at))
    product.end_leases()
    eventually(lambda: not product.unfinished(), 60)

    expected = product.transitions()
    closed = product.changes_in("schedule like 'digest%%' and state = 'sent' and service = 'slack'")
    later = product.changes_in("schedule like 'digest%%' and state = 'open' and service = 'slack'")
    assert closed + later == expected
    assert later
    check(changes_of(texts_of(slack)), expected, repeats=1)
    check(changes_of(texts_of(teams)), expected, repeats=0)
    check(changes_of(emails_of(mailbox, OWNER)), expected, repeats=1)
    check(changes_of(texts_of(to_slack)), closed, repeats=1)
    check(changes_of(texts_of(to_teams)), closed, repeats=1)
    check(changes_of(emails_of(mailbox, HEAD)), closed, repeats=0)
    assert [place.refused for place in product.places.values()] == [[], [], [], []]
