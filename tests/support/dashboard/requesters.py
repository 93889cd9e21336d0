"""Everybody who can send a request about an organization, and things that requests are about."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson

from config.settings import Settings
from dashboard.web.context import EXTENSION
from models.companies import company_notes
from models.companies.company_notes import NewNote
from models.database import transaction
from models.events import rejected_events
from models.health.work_items import lifecycle
from models.health.work_items.lifecycle import NewItem
from models.keys import api_keys
from models.keys.scopes import Scope
from models.notifications import destinations
from models.outcomes import backtests, outcomes
from models.outcomes.backtests import NewBacktest
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from models.people import people, saved_views, sessions
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import NewDelivery
from queues.refused.requests import RefusedRequests
from rules.notify.entries import Service
from services.events.set_aside import set_aside
from services.notifications import destinations as changes
from tests.support.dashboard.application import NOW, Browser, Dashboard
from tests.support.ingress.refusals import refusal
from tests.support.world import World

ROLES = ("viewer", "editor", "administrator")

RULES = """
version: 1
statuses: [Healthy, At Risk]
events: {login: {name: Signed in}}
flags: [{flag: Quiet, event: login, when: {At Risk: less than 2 times in 7 days}}]
"""


def create_keys(organization_id: int) -> dict[str, str]:
    """Create a key for each scope, named after it, and a revoked one that had all of them."""
    with transaction():
        keys = {scope.value: api_keys.create(organization_id, scope, [scope]) for scope in Scope}
        keys["revoked"] = api_keys.create(organization_id, "revoked", list(Scope))
        api_keys.revoke(organization_id, api_keys.list_for_organization(organization_id)[-1].id)
    return keys


class Requesters:
    """The organization `acme`, its keys and members, and an administrator of `other`."""

    def __init__(self, dashboard: Dashboard, settings: Settings) -> None:
        self._dashboard, self._settings = dashboard, settings
        self._world = World(dashboard.organization("acme"), NOW)
        for version in (RULES, f"{RULES}# changed"):
            self._world.apply_rules(version, -timedelta(days=1))
        self._world.track("c1", -3, user="u1")
        self._world.judge()
        self._keys = create_keys(self._world.id)
        other = dashboard.organization("other")
        for role in ROLES:
            dashboard.person(f"{role}@acme.com", [(self._world.organization, role)])
        dashboard.person("stranger@acme.com", [(other, "administrator")])

    def browser_of(self, requester: str) -> tuple[Browser, dict[str, str]]:
        """Return a new browser with a CSRF token, and the headers of its requests.

        A requester is a role; `stranger`, an administrator of the organization `other`; the name of
        a key; or anything else for nobody.
        """
        browser = self._dashboard.browser()
        if requester in (*ROLES, "stranger"):
            assert browser.sign_in(f"{requester}@acme.com").status_code == 303
            return browser, {}
        browser.get("/sign-in")
        key = self._keys.get(requester)
        return browser, {"x-api-key": key} if key else {}

    def create_things(self, requester: str) -> dict[str, Any]:
        """Create what the paths of routes name; a view and a session are the requester's own."""
        organization_id = self._world.id
        colleague = self._dashboard.person(
            f"{uuid4()}@acme.com", [(self._world.organization, "viewer")]
        )
        with transaction():
            person = people.find(f"{requester}@acme.com") or colleague
            sessions.start(person.id, at=NOW, lasts=timedelta(days=1), address="", agent="")
            open_sessions = sessions.list_for_person(person.id, at=NOW, idle=timedelta(days=1))
            view = saved_views.add(
                organization_id, person.id, f"{uuid4()}", "status=x", shared=False
            )
            note = company_notes.add(
                NewNote(organization_id, self._world.company_id("c1"), person.id, NOW, "Text")
            )
            lost = NewOutcome(self._world.company_id("c1"), OutcomeKind.LEFT, NOW.date())
            [(outcome_id, _)] = outcomes.enter(organization_id, [lost], "ann", NOW) or [
                (outcomes.list_for_company(organization_id, lost.company_id)[0].id, False)
            ]
            api_keys.create(organization_id, "spare")
            endpoint_id, _ = webhook_endpoints.add(
                organization_id, "http://127.0.0.1:9/hook", secret_keys=self._settings.secret_keys
            )
            destination_id = destinations.add(
                organization_id,
                "slack",
                f"{uuid4()}",
                "http://127.0.0.1:9/hook",
                secret_keys=self._settings.secret_keys,
                at=NOW,
            )
            delivery_id = deliveries.add(
                NewDelivery(organization_id, endpoint_id, None, "msg_1", '{"event": "test"}', NOW)
            )
            set_aside(organization_id, _entry(organization_id), "DataError: no")
            refused = RefusedRequests(self._dashboard.app.extensions[EXTENSION].broker.client)
            refused.note(organization_id, [refusal(event_id=str(uuid4()))], NOW)
            lifecycle.add([_new_item(organization_id, self._world.company_id("c1"))])
            [item] = lifecycle.find_open(organization_id, [self._world.company_id("c1")])[-1:]
            return {
                "organization": "acme",
                "item_id": item.id,
                "batch": uuid4(),
                "company": "c1",
                "door": "sdk",
                "example_name": "usage-drop",
                "company_id": "c1",
                "digest": "0" * 64,
                "event_key": "login",
                "filename": "style/base.css",
                "flag": "Quiet",
                "endpoint_id": endpoint_id,
                "destination_id": destination_id,
                "message_id": changes.send_test(
                    self._world.organization, Service.SLACK, f"{uuid4()}", NOW
                ),
                "delivery_id": delivery_id,
                "key_id": api_keys.list_for_organization(organization_id)[-1].id,
                "note_id": note,
                "outcome_id": outcome_id,
                "backtest_id": backtests.add(
                    organization_id,
                    NewBacktest(RULES, 2, NOW - timedelta(days=30), NOW, 30, 1, 1, "ann", NOW),
                ),
                "kind": "lost",
                "number": 1,
                "person_id": colleague.id,
                "request_id": refused.page(organization_id, NOW, limit=1)[0].id,
                "id": rejected_events.latest_id(organization_id),
                "session_id": max(session.id for session in open_sessions),
                "user_id": "u1",
                "view_id": view.id,
            }


def _new_item(organization_id: int, company_id: int) -> NewItem:
    nothing = dict.fromkeys(
        ("worse_since", "worse_from", "next_step", "owner", "value", "renews_on", "closed_at",
         "closed_because")
    )  # fmt: skip
    return NewItem(
        organization_id, company_id, f"{uuid4()}", "At Risk", snoozed=False, raised_at=NOW,
        opened_at=NOW, company_left=False, **nothing,
    )  # fmt: skip


def _entry(organization_id: int) -> tuple[bytes, ...]:
    """Return an entry of the journal, as it is set aside."""
    message = {
        "organization_id": organization_id,
        "key_id": None,
        "event_id": str(uuid4()),
        "event_key": "login",
        "company": {"id": "c1", "name": "c1"},
        "user": None,
        "data": None,
        "occurred_at": NOW,
        "received_at": NOW,
    }
    return b"1", orjson.dumps(message), b"t", b"1769000000000000"
