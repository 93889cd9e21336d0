"""An organization whose companies, rules and users have awkward names and texts."""

import json
from datetime import datetime, timedelta
from typing import Any

from config.settings import Settings
from models.database import transaction
from models.health import forecasts
from models.notifications import destinations
from models.organizations.organizations import Organization
from services.forecasts.refreshing import refresh as refresh_forecast
from services.totals import refresh
from tests.support.browser.awkward.texts import (
    CHANNEL,
    EVENT,
    FLAGS,
    INVISIBLE,
    LONG_WORDS,
    LOUD,
    NAMES,
    OTHER_EVENT,
    OWNER,
    SENTINEL,
    STATUSES,
    USER,
    in_words,
    unbroken,
)  # fmt: skip
from tests.support.world import World, days_ago


def rules() -> str:
    """Return a rule file with 41 flags and six statuses."""
    when = [{STATUSES[1 + n % 5]: "less than 2 times in 7 days"} for n in range(len(FLAGS))]
    return json.dumps(
        {
            "version": 1,
            "statuses": STATUSES,
            "events": {
                EVENT: {"name": in_words("Event"), "called": [unbroken("called", 150)]},
                OTHER_EVENT: {"name": unbroken("Other")},
            },
            "team": {"owner": "company.csm", "value": "company.arr", "renewal": "company.renews"},
            "notify": [{"to": {"slack": CHANNEL}, "when": "status changes"}],
            "flags": [
                *(
                    {
                        "flag": flag,
                        "event": EVENT,
                        "when": level,
                        "note": in_words(f"Do {flag}", 300),
                    }
                    for flag, level in zip(FLAGS, when, strict=True)
                ),
                {
                    "flag": f"{SENTINEL} Renewal",
                    "applies_to": {"company.plan": in_words("plan", 100)},
                    "when": {STATUSES[2]: "company.renews within 60 days"},
                },
                {
                    "flag": f"{SENTINEL} Soon",
                    "event": OTHER_EVENT,
                    "when": {STATUSES[3]: "less than 1 time in 7 days"},
                },
            ],
        },
        ensure_ascii=False,
    )


def create_world(organization: Organization, settings: Settings, now: datetime) -> World:
    """Fill an organization with companies, 15 of them with few flags, and one with all.

    A webhook of it and a channel are sent what happens to them.
    """
    world = World.of(organization, None, start=now)
    world.subscribe(settings, f"http://127.0.0.1:9/{'hook' * 60}")
    with transaction():
        destinations.add(
            world.id, "slack", CHANNEL, "http://127.0.0.1:9/hook",
            secret_keys=settings.secret_keys, at=now,
        )  # fmt: skip
    world.apply_rules(rules(), -timedelta(days=300))
    for number, company in enumerate(NAMES):
        _track(world, number, company)
    for at in days_ago(45, 20, 7, 0):
        world.judge(at=at)
    with transaction():
        forecasts.ask(world.id, now)
    refresh(now, world.rulebooks)
    refresh_forecast(world.id, world.rulebooks, lambda: now)
    world.apply_rules(rules().replace("less than 1 time", "less than 2 times"), now)
    world.judge()
    return world


def _track(world: World, number: int, company: str) -> None:
    """Store events of a company, its users and its fields."""
    fields: dict[str, Any] = {
        "name": NAMES[company],
        "csm": OWNER,
        "arr": 123_456_789_012.5,
        "renews": (world.now.date() + timedelta(days=20)).isoformat(),
        "plan": in_words("plan", 100),
        "seats": 5,
        "crm_provider": unbroken("crm", 100),
        "crm_provider_id": unbroken("lead", 100),
        "payment_provider": "stripe",
        "payment_provider_id": unbroken("cus", 100),
        unbroken("field", 120): unbroken("value", 400),
    }
    user = {
        "name": unbroken("User"),
        "email": unbroken("user@", 190),
        unbroken("trait", 90): LONG_WORDS,
    }
    is_loud = company == LOUD
    if is_loud:
        fields |= {f"{SENTINEL} field {n}": f"{SENTINEL} {n}" for n in range(280)}
    world.track(
        company,
        *days_ago(*((100, 60, 40, 9, 8) if is_loud else (50, 30 - number, 6.5, 3, 1))),
        key=EVENT,
        user=USER if is_loud else f"user-{number}",
        user_fields=user,
        data={unbroken("data", 90): LONG_WORDS},
        **fields,
    )
    unseen = {"name": INVISIBLE["zero-width"]}
    world.track(
        company, *days_ago(6.2), key=OTHER_EVENT, user=f"unseen-{number}", user_fields=unseen,
        **fields,
    )  # fmt: skip
    changed = fields | {"plan": unbroken("other plan", 100)}
    world.store(
        world.update(company, -timedelta(days=2), **changed), world.update(company, **fields)
    )
