"""The page of an organization without companies: what to do first."""

import json
import shlex

from flask import current_app, render_template

from dashboard.access import Member
from models.events import rejected_events
from models.keys import api_keys
from rules.book import RuleBook
from services.rules.rule_books import NO_RULES

INGRESS = "http://127.0.0.1:8000"
"""Where the process `web` listens by default."""


def get_started(member: Member, book: RuleBook | None, set_aside: int) -> str:
    """Render the page in the current transaction; `set_aside` is how many events are."""
    keys = [
        key
        for key in api_keys.list_for_organization(member.organization.id)
        if key.revoked_at is None
    ]
    rules = book or NO_RULES
    enabled = [key for key, event in rules.events.items() if event.enabled]
    return render_template(
        "today/get_started.html",
        keys=len(keys),
        flags=len(rules.flags),
        event_key=enabled[0] if enabled else None,
        curl=_curl(enabled[0] if enabled else "my_first_event"),
        shell=shlex.quote,
        pages=current_app.view_functions,
        set_aside=set_aside,
        many=rejected_events.MANY,
    )


def _curl(event_key: str) -> str:
    """Return a command that sends an event to the default address of `web`."""
    event = {"event_key": event_key, "company": {"id": "company_123", "name": "Acme Corp"}}
    return (
        f"curl -X POST {INGRESS}/v1/track \\\n"
        '  -H "x-api-key: $BRAZEBEE_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(json.dumps(event))}"
    )
