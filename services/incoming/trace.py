"""What became of one event: from its request to the deliveries of what it changed.

Nothing is recorded for it. It is read from what is kept anyway, so the trace of an event is true
whenever it is asked for, and costs nothing until then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from redis import Redis

from models.database import transaction
from models.events import rejected_events, waiting_records
from models.events.newest_events import FoundEvent, find_event
from models.events.rejected_events import RejectedEvent
from models.events.waiting_records import WaitingRecord
from models.health import transitions
from models.health.transitions import StoredTransition
from models.keys import api_keys
from models.webhooks import delivery_log
from models.webhooks.delivery_log import LoggedAttempt, LoggedDelivery
from queues.lanes.lane import UNRESOLVED, Lane
from queues.lanes.lane_queue import LaneQueue
from queues.lanes.search import Search, WaitingEvent, find_waiting_event
from queues.refused.requests import RefusedRequest, RefusedRequests
from services.events.tracked_event import LIVE_WITHIN
from services.events.waiting import LONGEST
from services.rules.rule_books import RuleBooks

MOST_LATER_CHANGES = 5
"""The later changes that are listed, by flags that count the event."""


class State(StrEnum):
    """What a step says about the event."""

    DONE = "done"
    LATER = "later"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """One step on the way of an event. `advice` is what to do about it, if anything.

    `page` is the kind of page that shows more, and `subject` what it shows: a company by the
    client's own id, or a refused request, an event that is set aside or a delivery by its number.
    """

    title: str
    text: str
    at: datetime | None = None
    state: State = State.DONE
    advice: str | None = None
    page: str | None = None
    subject: Any = None


@dataclass(frozen=True)
class Trace:
    """The steps of an event in their order, and what it is about as far as that is known.

    Without steps, the event is unknown. `incomplete` says what was not searched, if anything.
    """

    event_id: str
    steps: Sequence[Step]
    event_key: str | None = None
    company: str | None = None
    user: str | None = None
    incomplete: str | None = None


def trace(
    organization_id: int, event_id: str, client: Redis, rulebooks: RuleBooks, now: datetime
) -> Trace:
    """Return what became of an event, read in a transaction of its own.

    `event_id` is its id, or the number of its refused request.

    Raises:
        RedisError: Redis does not answer.
    """
    search = find_waiting_event(client, organization_id, event_id)
    refused = [
        request
        for request in RefusedRequests(client).every(organization_id, now)
        if event_id in (request.id, request.refusal.event_id)
    ]
    with transaction():
        # In the order of its way: an event may move on between two of these.
        unplaced = waiting_records.find_event(organization_id, event_id)
        event = find_event(organization_id, event_id)
        aside = rejected_events.find_by_event_id(organization_id, event_id)
        names = {
            key.id: f"{key.name} ({key.masked})"
            for key in api_keys.list_for_organization(organization_id)
        }
    steps = [_refused(request, names) for request in reversed(refused)]
    if search.found and event is None:
        steps += _waiting(search.found, names)
    if unplaced and event is None:
        steps += _unplaced(unplaced)
    steps += [_set_aside(entry) for entry in reversed(aside)]
    if event is not None:
        with transaction():
            steps += _stored(organization_id, event, _Backlog.read(client), rulebooks)
    about = _about(event, search.found, unplaced, refused, aside)
    return Trace(event_id, steps, *about, incomplete=_incomplete(search, event))


def _about(
    event: FoundEvent | None,
    waiting: WaitingEvent | None,
    unplaced: WaitingRecord | None,
    refused: Sequence[RefusedRequest],
    aside: Sequence[RejectedEvent],
) -> tuple[str | None, str | None, str | None]:
    """Return the event key, the company and the user of an event."""
    if event is not None:
        return event.event_key, event.company, event.user
    if waiting is not None:
        company, user = waiting.message.get("company") or {}, waiting.message.get("user") or {}
        return waiting.message.get("event_key"), company.get("id"), user.get("id")
    if unplaced is not None:
        return unplaced.event_key, None, unplaced.user
    if aside:
        return None, aside[0].company, None
    return (refused[0].refusal.event_key if refused else None), None, None


def _incomplete(search: Search, event: FoundEvent | None) -> str | None:
    if search.complete or event is not None:
        return None
    return (
        f"{search.waiting:,} accepted events wait to be stored, and only the newest of them were"
        " searched; ask again when fewer wait"
    )


def _refused(request: RefusedRequest, names: dict[int, str]) -> Step:
    refusal = request.refusal
    key = names.get(refusal.key_id or 0, "a key that is gone")
    return Step(
        "Refused",
        f"{refusal.path} answered {refusal.status} to the key {key}: {refusal.reason}",
        refusal.at,
        State.FAILED,
        f"Correct it, or mend the cause, and send it again: brazebee events resend {request.id}",
        "refused",
        request.id,
    )


def _set_aside(event: RejectedEvent) -> Step:
    reason = event.error.strip().partition("\n")[0]
    return Step(
        "Set aside",
        f"It was accepted and could not be stored: {reason}",
        event.rejected_at,
        State.FAILED,
        f"Once the cause is mended, store it with: brazebee rejected retry {event.id}",
        "set aside",
        event.id,
    )


def _waiting(found: WaitingEvent, names: dict[int, str]) -> Iterator[Step]:
    message = found.message
    key = names.get(message.get("key_id") or 0)
    by = f" with the key {key}" if key else ""
    yield Step("Received", f"It was accepted{by}, and is safe in the journal", _time(message))
    if found.lane.company is not None:
        text = "The row of its company is locked by another transaction; it is stored afterwards"
        advice = "Look for a transaction in PostgreSQL that stays open"
    elif found.lane.partition == UNRESOLVED:
        text = "It waits for its turn to be stored for the company of its user"
        advice = "If it still waits in a minute, see whether `persist` runs and PostgreSQL answers"
    else:
        text = f"It waits to be stored, in partition {found.lane.partition} of the journal"
        advice = "If it still waits in a minute, see whether `persist` runs and PostgreSQL answers"
    yield Step("Waiting", text, None, State.WAITING, advice)


def _unplaced(record: WaitingRecord) -> Iterator[Step]:
    yield Step("Received", "It was accepted, and is safe in the database", record.since)
    yield Step(
        "Waiting for its company",
        f"It names the user {record.user} and no company, and it is not known where they belong."
        f" If that stays so, it is set aside after {LONGEST.days} days",
        None,
        State.WAITING,
        "Send a record that names the user together with the company, such as a group call or an"
        " event with both; then it counts at its own time",
    )


def _time(message: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(message["received_at"])
    except (KeyError, TypeError, ValueError):
        return None


class _Backlog(NamedTuple):
    """How many entries each lane has that are not stored yet."""

    entries: dict[Lane, int]

    @classmethod
    def read(cls, client: Redis) -> "_Backlog":
        waiting = LaneQueue.of_events(client).waiting()
        return cls({found.lane: found.entries for found in waiting})

    def before(self, organization_id: int, company: str) -> int:
        """Return how many events wait that a company is not judged past."""
        partition = Lane.of_company(organization_id, company)
        unresolved = Lane(organization_id, UNRESOLVED)
        lanes = (partition, partition._replace(company=company), unresolved)
        return sum(self.entries.get(lane, 0) for lane in lanes)


def _stored(
    organization_id: int, event: FoundEvent, backlog: _Backlog, rulebooks: RuleBooks
) -> Iterator[Step]:
    late = event.received_at - event.occurred_at
    text = "It was accepted"
    if late > LIVE_WITHIN:
        text += (
            ", after it occurred, and counts at its own time. If it was imported, the history of"
            " its company was rewritten with it; otherwise it changes nothing before it came"
        )
    yield Step("Received", text, event.received_at)
    yield Step(
        "Stored",
        f"It counts for the company {event.company_name} at the time it occurred",
        event.occurred_at,
        page="company",
        subject=event.company,
    )
    book = rulebooks.book_if_readable(organization_id, event.judged_version)
    flags = [
        flag.name
        for flag in (book.flags if book else ())
        if flag.counts_events and flag.selector.matches(event.event_key, event.data)
    ]
    yield _judged(event, flags, backlog.before(organization_id, event.company))
    takes_effect_at = event.received_at if late > LIVE_WITHIN else event.occurred_at
    since = transitions.list_since(
        organization_id, event.company_id, takes_effect_at, limit=1 + 10 * MOST_LATER_CHANGES
    )
    later = 0
    for change in since:
        caused = change.at == takes_effect_at and change.cause == "event"
        if not caused:
            if later == MOST_LATER_CHANGES or not any(c["flag"] in flags for c in change.changes):
                continue
            later += 1
        yield _change(change, caused=caused)
        for delivery in delivery_log.list_for_transition(organization_id, change.id):
            attempts = delivery_log.list_attempts(organization_id, delivery.id)
            yield _delivery(delivery, attempts)


def _judged(event: FoundEvent, flags: Sequence[str], waiting: int) -> Step:
    if event.judged_version == 0 and event.unsettled_since is None:
        return Step(
            "Not judged",
            "The organization has no rules",
            state=State.WAITING,
            advice="Write rules that count it, on the page Rules or with `brazebee apply`",
        )
    if event.unsettled_since is not None:
        if waiting:
            why = (
                f"{waiting:,} accepted events of its part of the journal are not stored yet, and"
                " no company is judged past them"
            )
        else:
            why = "The evaluation of its company is due"
        return Step(
            "Not judged yet",
            why,
            event.unsettled_since,
            State.WAITING,
            "If that lasts for a minute, see whether `evaluate` and `clock` run",
        )
    counted = f"and the event counts for {', '.join(flags)}" if flags else "and no flag counts it"
    return Step(
        "Judged", f"The company is judged by version {event.judged_version} of the rules, {counted}"
    )


def _change(change: StoredTransition, *, caused: bool) -> Step:
    flags = ", ".join(
        f"{c['flag']} from {c['from'] or 'N/A'} to {c['to'] or 'N/A'}" for c in change.changes
    )
    if change.from_status != change.to_status:
        text = f"{change.from_status} → {change.to_status}"
    else:
        text = f"The status stayed {change.to_status}"
    if flags:
        text += f": {flags}"
    if not caused:
        text += (
            f", caused by {change.cause.replace('_', ' ')}; a flag that counts the event changed"
        )
        return Step("Later change", text, change.at, State.LATER)
    return Step("Changed", text, change.at)


def _delivery(delivery: LoggedDelivery, attempts: Sequence[LoggedAttempt]) -> Step:
    text = f"Webhook {delivery.event} is {delivery.state}"
    if attempts:
        last = attempts[-1]
        answer = f"answer {last.status_code}" if last.status_code else last.error
        tried = "1 attempt" if len(attempts) == 1 else f"{len(attempts)} attempts"
        text += f", after {tried}, the last with {answer}"
    state = {"delivered": State.DONE, "failed": State.FAILED}.get(delivery.state, State.WAITING)
    at = delivery.finished_at or (attempts[-1].at if attempts else delivery.created_at)
    return Step("Delivery", text, at, state, page="delivery", subject=delivery.id)
