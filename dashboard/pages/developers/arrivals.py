"""The page that waits for the first event or company, and shows what was understood of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import Member, viewer
from dashboard.pages.developers.frame import blueprint, show
from dashboard.web.context import app_context, now, rules_in_force
from dashboard.web.request_values import database_bigint
from models.companies import arrivals as stored
from models.companies.arrivals import ArrivedCompany, ArrivedEvent
from models.database import read_one_snapshot, transaction
from models.events import rejected_events
from models.organizations import rule_versions
from queues.refused.requests import RefusedRequest, RefusedRequests
from queues.refused.unknown_event_keys import UnknownKey, UnknownKeys
from rules.book import RuleBook
from rules.phrases.fields import as_instant
from services.accounts.audit import FIRST_START
from services.rules.rule_books import NO_RULES

SHOWN_COMPANIES = 5
SHOWN_KEYS = 10
SHOWN_REQUESTS = 5

NOT_FOUND = 404
"""The answer to an event whose key is not configured."""

WATCHED_FOR = timedelta(hours=1)
"""How long an open page goes on looking by itself."""

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Watch:
    """Since when arrivals are of interest: an instant, and the row of the newest company then.

    While an organization has no companies, everything is of interest.
    """

    since: datetime = BEGINNING
    after_id: int = 0

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the page's URL."""
        since = {"since": self.since.isoformat()} if self.since != BEGINNING else {}
        return {**since, "after": self.after_id}

    @property
    def is_first(self) -> bool:
        """Whether it waits for what arrives first."""
        return self == Watch()


@dataclass(frozen=True)
class Arrivals:
    """What has arrived since a watch began.

    `unknown` are keys that were sent and are not configured, `invalid` are requests that were
    refused for another reason; both are None while Redis does not respond. `set_aside` is whether
    accepted events could not be stored. `event_name` is what the rules call the event, and
    `flags_chosen` whether they have other flags than an installation begins with.
    """

    watch: Watch
    event: ArrivedEvent | None
    event_name: str | None
    companies: Sequence[ArrivedCompany]
    unknown: Sequence[UnknownKey] | None
    invalid: Sequence[RefusedRequest] | None
    set_aside: bool
    may_continue: bool
    rules_version: int
    flags_chosen: bool

    @property
    def arrived(self) -> bool:
        """Whether an event was stored or a company added."""
        return self.event is not None or bool(self.companies)

    @property
    def waits(self) -> bool:
        """Whether the page should look again by itself."""
        return not self.arrived and self.may_continue

    @property
    def digest(self) -> str:
        """A fingerprint of what the page shows, apart from relative times."""
        readable = self.unknown is not None
        unknown = [(key.event_key, key.times) for key in self.unknown or ()]
        invalid = [request.id for request in self.invalid or ()]
        shown = (self.arrived, readable, unknown, invalid, self.set_aside, self.waits)
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


@blueprint.get("/connect/arrivals")
@viewer
def arrivals(member: Member) -> ResponseReturnValue:
    """Show what has arrived: a page, or the part that changes; nothing if it has not changed."""
    with transaction():
        read_one_snapshot()
        found = read_arrivals(member)
    if "HX-Request" not in request.headers:
        return show("first_event.html", member, found=found)
    if request.args.get("seen") == found.digest:
        return "", 204  # htmx leaves the page as it is
    return show("arrivals.html", member, found=found)


def read_arrivals(member: Member) -> Arrivals:
    """Return what has arrived since the watch of the request, in the current transaction."""
    at, organization_id = now(), member.organization.id
    watch = _watch(organization_id, at)
    event = stored.find_newest_event(organization_id, since=watch.since)
    book = rules_in_force(member.organization)
    setting = book.events.get(event.event_key) if book and event else None
    unknown, invalid = _refused(organization_id, book or NO_RULES, watch.since, at)
    return Arrivals(
        watch,
        event,
        setting.name if setting else None,
        stored.list_new_companies(
            organization_id, after_id=watch.after_id, limit=SHOWN_COMPANIES + 1
        ),
        unknown,
        invalid,
        bool(rejected_events.count(organization_id, {"since": watch.since}, most=1)),
        may_continue=watch.is_first or at - watch.since < WATCHED_FOR,
        rules_version=member.organization.rules_version,
        flags_chosen=_flags_are_chosen(organization_id, book or NO_RULES),
    )


def _flags_are_chosen(organization_id: int, book: RuleBook) -> bool:
    first = rule_versions.find(organization_id, 1)
    if not book.flags or first is None or first.applied_by != FIRST_START:
        return bool(book.flags)
    began_with = app_context().rulebooks.book_if_readable(organization_id, 1) or NO_RULES
    return book.flags_by_name.keys() != began_with.flags_by_name.keys()


def _watch(organization_id: int, at: datetime) -> Watch:
    """Return the watch that the request continues, or begin one."""
    since, after_id = request.args.get("since"), request.args.get("after", type=database_bigint)
    began = as_instant(since) if since else BEGINNING
    if began is not None and after_id is not None:
        return Watch(began, after_id)
    newest = stored.find_latest_company_id(organization_id)
    return Watch(at, newest) if newest else Watch()


def _refused(
    organization_id: int, book: RuleBook, since: datetime, at: datetime
) -> tuple[list[UnknownKey] | None, list[RefusedRequest] | None]:
    """Return the newest unknown keys and invalid requests; None while Redis does not respond."""
    client = app_context().broker.client
    try:
        unknown = UnknownKeys(client).of_organization(organization_id, at)
        requests = RefusedRequests(client).page(organization_id, at, limit=SHOWN_REQUESTS)
    except RedisError:
        return None, None
    known = {*book.events, *(name for event in book.events.values() for name in event.called)}
    return (
        [key for key in unknown if key.last_at > since and key.event_key not in known][:SHOWN_KEYS],
        [
            refused
            for refused in requests
            if refused.refusal.at > since and refused.refusal.status != NOT_FOUND
        ],
    )
