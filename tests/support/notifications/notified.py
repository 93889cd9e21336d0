"""An organization whose rules notify people, and a sender of its messages."""

import ipaddress
from datetime import datetime, timedelta
from typing import Any

from config.settings import Settings
from config.smtp import SmtpSettings
from models import across_organizations
from models.database import transaction
from models.notifications import message_log
from models.notifications.messages import Message
from rules.notify.entries import Service
from services.accounts.audit import Maker
from services.notifications import destinations as changes
from services.notifications.delivery import Sender
from services.notifications.destinations import NewDestination
from services.notifications.rule_text import UrlKeeper
from services.rules.apply_rules import AppliedRules, Origin, apply_rules
from services.rules.rule_books import RuleBooks
from services.times import utc_now
from services.webhooks.addresses import AddressPolicy
from services.webhooks.transport import Transport
from tests.support.notifications.channels import Channel
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

    def add(self, name: str, place: Channel, url: str | None = None) -> None:
        """Add a destination with the URL of a channel, or another one."""
        new = NewDestination(Service(place.service), name, url or place.url)
        with transaction():
            changes.add(
                self.world.id, new, secret_keys=self.keeper.secret_keys, maker=self.keeper.maker,
                at=self.world.at(0),
            )  # fmt: skip

    def send_tests(self, name: str, number: int) -> None:
        """Write tests of a Slack destination, which are due at once."""
        with transaction():
            for _ in range(number):
                changes.send_test(self.world.organization, Service.SLACK, name, utc_now())

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
