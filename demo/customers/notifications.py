"""The notifications of the demo: two channels, and the messages to them in the last month.

Messages are collected, composed and recorded one after another on a simulated clock, with the same
code as live ones. Only the answers are invented; nothing is sent.
"""

import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from config.webhook_policy import WebhookPolicy
from demo.customers.delivery_log import REASON
from models.companies import companies
from models.companies.companies import Company
from models.database import transaction
from models.health import transitions
from models.health.transitions import StoredTransition
from models.notifications import destinations, message_log
from models.notifications.messages import State
from models.notifications.past_changes import PastChange
from models.organizations import organizations
from models.organizations.organizations import Organization
from rules.book import RuleBook
from rules.notify.entries import Service
from rules.notify.notices import envelopes_of
from services.notifications.claims import claim
from services.notifications.outbox import Notice, fields_of, noted_change, save_notices
from services.notifications.outcomes import Attempt, Verdict, record
from services.notifications.past_messages import as_company_change
from services.rules.rule_books import RuleBooks

MONTH = timedelta(days=30)

CHANNELS = (
    (Service.SLACK, "cs-alerts", "https://hooks.slack.example/services/T0DEMO/B0DEMO/demo"),
    (Service.TEAMS, "cs-weekly", "https://brightdesk.webhook.office.example/workflows/demo"),
)
"""Their hosts are in a domain reserved for examples, and never resolve."""

NOTIFY = """
# Who gets a message about which changes, and when. Companies are judged at all times; only messages
# wait. The channels of the demo are disabled; Settings, Notifications shows what they would get.
notify:
  - to: {slack: cs-alerts}
    when: status becomes Critical
    where: {company.plan: [Business, Enterprise]}
    group: together within 10 minutes
    quiet: 18:00-08:00 and weekends in Europe/Berlin
  - to: {teams: cs-weekly}
    digest: Mondays at 08:00 in Europe/Berlin
  # - to: {email: owner}            # each owner about their own companies; needs BRAZEBEE_SMTP_HOST
  #   digest: weekdays at 08:00 in Europe/Berlin
"""
"""The end of the rules of the demo."""

ACCEPTED = Attempt(Verdict.ACCEPTED)


def add_channels(organization_id: int, at: datetime, secret_keys: Sequence[str]) -> None:
    """Add the channels, which are disabled from the start."""
    for service, name, url in CHANNELS:
        destinations.add(organization_id, service, name, url, secret_keys=secret_keys, at=at)
    _disable(organization_id, at)


def send_past_messages(
    organization_id: int, now: datetime, policy: WebhookPolicy, chance: Random
) -> int:
    """Send the messages of the last month up to `now`; return their number.

    Running `deliver` processes see disabled channels: all is one transaction, which it opens.
    """
    with transaction():
        organization = organizations.find_by_id(organization_id)
        if organization is None:
            return 0
        simulation = _Simulation(organization, policy, chance)
        for destination in destinations.lock_all(organization_id):
            destinations.enable(destination)
        for change in _past_changes(organization_id, now):
            simulation.advance(change.recorded_at)
            simulation.add(change)
        simulation.advance(now)
        _disable(organization_id, now)
    return simulation.sent


def _past_changes(organization_id: int, now: datetime) -> list[StoredTransition]:
    ids = companies.list_ids(organization_id)
    listed = transitions.list_for_companies(organization_id, ids).values()
    recent = [t for each in listed for t in each if now - MONTH < t.recorded_at <= now]
    return sorted(recent, key=lambda t: (t.recorded_at, t.id))


def _disable(organization_id: int, at: datetime) -> None:
    for destination in destinations.lock_all(organization_id):
        destinations.disable(destination, REASON, at)


class _Simulation:
    """The messages of an organization, in the order of their times."""

    def __init__(self, organization: Organization, policy: WebhookPolicy, chance: Random) -> None:
        self.sent = 0
        self._organization_id = organization.id
        self._policy = policy
        self._chance = chance
        self._rulebooks = RuleBooks()
        self._book = self._rulebooks.book(organization.id, organization.rules_version)
        ids = companies.list_ids(organization.id)
        self._companies = {c.id: c for c in companies.find_by_ids(organization.id, ids)}
        self._due: list[tuple[datetime, UUID]] = []

    def add(self, stored: StoredTransition) -> None:
        """Add a change to the messages that it belongs into."""
        company = self._companies[stored.company_id]
        notices = _notices(company, stored, self._book)
        if not notices:
            return
        save_notices(self._organization_id, notices)
        known = {id_ for _, id_ in self._due}
        for message in message_log.list_newest(self._organization_id, limit=len(CHANNELS) + 1):
            if message.state is State.OPEN and message.due_at and message.id not in known:
                heapq.heappush(self._due, (message.due_at, message.id))

    def advance(self, until: datetime) -> None:
        """Attempt what is due up to an instant."""
        while self._due and self._due[0][0] <= until:
            at, message_id = heapq.heappop(self._due)
            claimed = claim(self._organization_id, message_id, self._rulebooks, at)
            if claimed is None:
                continue
            ended = at + timedelta(milliseconds=self._chance.uniform(80, 400))
            self.sent += record(claimed, ACCEPTED, ended, self._policy) is not None


def _notices(company: Company, stored: StoredTransition, book: RuleBook) -> list[Notice]:
    past = PastChange(
        stored.recorded_at,
        stored.from_status,
        stored.to_status,
        stored.cause,
        stored.changes,
        stored.rules_version,
        fields_of(company),
    )
    return [
        Notice(envelope, stored.recorded_at, noted_change(stored))
        for envelope in envelopes_of(book.notify, as_company_change(past, book))
    ]
