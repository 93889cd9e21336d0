"""What people and applications leave behind in an awkward organization, besides its companies."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import orjson
import redis

from config.settings import Settings
from models.companies import company_notes
from models.companies.company_notes import NewNote
from models.database import execute, transaction
from models.events import rejected_events
from models.health.work_items import lifecycle
from models.keys import api_keys
from models.keys.scopes import Scope
from models.notifications import destinations
from models.organizations import audit_log
from models.organizations.audit_log import Change
from models.outcomes import backtests, outcomes
from models.outcomes.backtests import NewBacktest
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from models.people import memberships, people, saved_views
from models.people.saved_views import ViewedList
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import NewDelivery
from queues.refused.requests import RefusedRequests
from services.events.set_aside import set_aside
from services.health import overrides
from services.health.overrides import FlagOfCompany, JudgingContext, Justification
from services.notes import writing
from tests.support.browser.awkward.organization import rules
from tests.support.browser.awkward.texts import (
    EVENT,
    FLAG,
    FLAGS,
    LONG_WORDS,
    LOUD,
    OWNER,
    SENTINEL,
    STATUSES,
    USER,
    in_words,
    unbroken,
)  # fmt: skip
from tests.support.ingress.refusals import refusal
from tests.support.world import World


def add_records(world: World, settings: Settings) -> dict[str, Any]:
    """Add records of every kind; return what the addresses of pages name.

    The organization has one member, an administrator.
    """
    with transaction():
        values = {
            "organization": world.name,
            "company_id": LOUD,
            "flag": FLAG,
            "event_key": EVENT,
            "user_id": USER,
            **_add_people(world),
            **_add_outcomes(world),
            **_add_for_developers(world, settings),
            **_add_work(world),
        }
    [event] = world.rows(
        "select event_id from events where organization_id = %(id)s order by occurred_at limit 1"
    )
    [delivery] = world.rows(
        "select id from deliveries where organization_id = %(id)s and transition_id is not null"
        " order by id desc limit 1"
    )
    [message] = world.rows(
        "select id from notification_messages where organization_id = %(id)s limit 1"
    )
    request_id = _add_refused(world, settings)
    return values | {
        "event_id": event["event_id"], "delivery_id": delivery["id"], "request_id": request_id,
        "message_id": message["id"],
    }  # fmt: skip


def _add_people(world: World) -> dict[str, Any]:
    [administrator] = memberships.list_for_organization(world.id)
    people.rename(administrator.person_id, unbroken("Administrator", 100))
    email = unbroken("colleague@", 200) + "@x.example"
    colleague = people.create(email, in_words("Colleague", 100), None)
    memberships.add(world.id, colleague.id, "editor")
    memberships.set_owner_values(world.id, colleague.id, [OWNER, in_words("owner", 190)])
    saved_views.add(
        world.id, administrator.person_id, unbroken("View", 100), f"q={SENTINEL}", shared=True
    )
    saved_views.add(
        world.id, administrator.person_id, unbroken("View", 100), "whose=team", shared=True,
        listed=ViewedList.WORKLIST,
    )  # fmt: skip
    text = f"{LONG_WORDS}\n{unbroken('note', 900)} https://example.com/{'a' * 300}"
    mention = f"@{administrator.email} {text}"
    writing.add(NewNote(world.id, world.company_id(LOUD), colleague.id, world.now, mention))
    note = NewNote(world.id, world.company_id(LOUD), administrator.person_id, world.now, text)
    audit_log.add(
        world.id,
        Change(
            person_id=None,
            made_by=in_words("maker", 190),
            at=world.now,
            action=in_words("Action", 100),
            subject=unbroken("subject", 400),
            detail={"detail": LONG_WORDS, unbroken("name", 90): unbroken("value", 400)},
        ),
    )
    return {"person_id": colleague.id, "note_id": company_notes.add(note)}


def _add_outcomes(world: World) -> dict[str, Any]:
    left_on = world.now.date() - timedelta(days=5)
    lost = NewOutcome(
        world.company_id("words"), OutcomeKind.LEFT, left_on, Decimal("12345678901.50"), LONG_WORDS
    )
    grown = NewOutcome(
        world.company_id(LOUD), OutcomeKind.GREW, date(2026, 1, 5), Decimal(10),
        unbroken("outcome", 900),
    )  # fmt: skip
    [(outcome_id, _), _] = outcomes.enter(
        world.id, [lost, grown], in_words("Enterer", 100), world.now
    )
    past = world.now - timedelta(days=30)
    backtest = NewBacktest(
        rules(), 2, past, world.now, 30, 1, 1, in_words("Starter", 100), world.now
    )
    return {"outcome_id": outcome_id, "backtest_id": backtests.add(world.id, backtest)}


def _add_for_developers(world: World, settings: Settings) -> dict[str, Any]:
    for name in (unbroken("Key", 100), in_words("Revoked key", 100)):
        api_keys.create(world.id, name, list(Scope))
    key, revoked = api_keys.list_for_organization(world.id)
    api_keys.revoke(world.id, revoked.id)
    [destination] = destinations.list_for_organization(world.id)
    [endpoint] = webhook_endpoints.list_for_organization(world.id)
    payload = {"event": "test", "text": LONG_WORDS * 3, "unbroken": unbroken("x", 900)}
    deliveries.add(
        NewDelivery(world.id, endpoint.id, None, "msg_1", orjson.dumps(payload).decode(), world.now)
    )
    message = {
        "organization_id": world.id,
        "key_id": None,
        "event_id": unbroken("set-aside", 120),
        "event_key": EVENT,
        "company": {"id": LOUD, "name": LONG_WORDS},
        "user": None,
        "data": {"long": LONG_WORDS * 3},
        "occurred_at": world.now,
        "received_at": world.now,
    }
    entry = (b"1", orjson.dumps(message), b"t", b"1769000000000000")
    set_aside(world.id, entry, f"DataError: {LONG_WORDS}")
    return {
        "key_id": key.id,
        "destination_id": destination.id,
        "endpoint_id": endpoint.id,
        "rejected_id": rejected_events.latest_id(world.id),
    }


def _add_work(world: World) -> dict[str, Any]:
    justification = Justification(LONG_WORDS, in_words("owner", 190), in_words("maker", 190))
    judging = JudgingContext(world.rulebooks, world.now, lambda *_: world.now)
    snoozed, overridden = (FlagOfCompany(world.id, LOUD, flag) for flag in FLAGS[1:3])
    overrides.snooze(snoozed, world.now + timedelta(days=3), justification, judging)
    overrides.override(overridden, STATUSES[3], None, justification, judging)
    execute(
        "update work_items set next_step = %(step)s where organization_id = %(id)s",
        {"id": world.id, "step": in_words("Next step", 480)},
    )
    [item] = lifecycle.find_open(world.id, [world.company_id(LOUD)])[:1]
    return {"item_id": item.id}


def _add_refused(world: World, settings: Settings) -> str:
    """Add a request with an unknown event key, and one that is invalid; return an id."""
    unknown = unbroken("unknown")
    body = orjson.dumps({"event_key": unknown, "company": {"id": LOUD, "name": LONG_WORDS}})
    faults = [{"path": [unbroken("field", 120)], "message": in_words("Unknown field")}]
    refusals = [
        refusal(
            at=world.now, event_key=unknown, event_id=str(uuid4()), body=body, status=404,
            error=f"Unknown event key {unknown}", details=[],
        ),
        refusal(
            at=world.now, event_key=EVENT, event_id=str(uuid4()), body=body, details=faults
        ),
    ]  # fmt: skip
    with redis.Redis.from_url(settings.redis_url) as client:
        requests = RefusedRequests(client)
        requests.note(world.id, refusals, world.now)
        return requests.page(world.id, world.now, limit=1)[0].id
