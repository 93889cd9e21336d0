"""Events in the dashboard: their settings, their volumes, and rejected event keys."""

from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from dashboard.pages import events
from dashboard.web.context import EXTENSION
from models.database import transaction
from models.events import event_volumes, waiting_records
from models.events.waiting_records import NewWaitingRecord
from models.keys import event_keys
from models.organizations import audit_log, organizations
from queues.refused.unknown_event_keys import UnknownKeys
from services.rules.apply_rules import apply_rules
from tests.support.dashboard.application import NOW, Dashboard, ServeDashboard, text_of
from tests.support.dashboard.editor import EditorWorld
from tests.support.ingress.refusals import note_unknown_keys

RULES = """\
# Ours
version: 1

events:
  login: {name: Signed in}   # the one that counts
  report: {name: Report}
  'a "b" <c>': {name: "<Odd> & co"}

flags:
  - {flag: Gone quiet, event: login, when: {At Risk: no activity for 7 days}}  # mild
"""


class EventsWorld(EditorWorld):
    """A world whose editor has opened the page of events."""

    def __init__(self, dashboard: Dashboard, rules: str | None = RULES) -> None:
        super().__init__(dashboard, rules)
        self.editor.get("/o/acme/events")

    @property
    def unknown_keys(self) -> UnknownKeys:
        return UnknownKeys(self.dashboard.app.extensions[EXTENSION].broker.client)

    def change(self, what: str, **form: Any) -> str:
        """Submit a change, and return the text of the page after it."""
        form = {"began_from": len(self.sources()), **form}
        assert self.editor.post(f"/o/acme/events/{what}", **form).status_code == 303
        return unescape(text_of(self.editor.get("/o/acme/events")))

    def enabled(self) -> Mapping[str, bool]:
        with transaction():
            return event_keys.read_settings(self.id).enabled


@pytest.fixture
def acme(dashboard: Dashboard) -> EventsWorld:
    return EventsWorld(dashboard)


def test_each_event_is_shown_with_its_volumes_and_flags(acme: EventsWorld) -> None:
    acme.add_company("c1", 0.1, 0.2, 3, 20, 50)
    with transaction():
        volume = event_volumes.read_volumes(acme.id, NOW)["login"]
    assert (volume.in_a_day, volume.in_a_week, volume.in_a_month) == (2, 3, 4)
    page = acme.editor.get("/o/acme/events")
    text = text_of(page)
    assert "Signed in login enabled 2 hours ago 2 3 4 Gone quiet" in text
    assert "Report report enabled never 0 0 0 none" in text
    assert "&lt;Odd&gt; &amp; co" in page.text
    assert "<Odd>" not in page.text


def test_disabling_an_event_creates_a_version_in_which_nothing_else_changed(
    acme: EventsWorld,
) -> None:
    text = acme.change("switch", key="report", enabled="")
    assert "report is now rejected." in text
    assert acme.sources()[-1] == RULES.replace("{name: Report}", "{name: Report, enabled: false}")
    assert acme.enabled()["report"] is False
    acme.change("switch", key="report", enabled="on")
    assert acme.enabled()["report"] is True
    with transaction():
        latest, first = audit_log.read_page(acme.id, limit=2)
    assert (first.made_by, first.action, first.subject) == (
        "ed@acme.com",
        "Event switched off",
        "report",
    )
    assert latest.detail == {"rules version": 3}


def test_an_event_that_a_flag_counts_cannot_be_disabled(acme: EventsWorld) -> None:
    text = acme.change("switch", key="login", enabled="")
    assert "the event login is disabled, so it can never be counted" in text
    assert acme.sources() == [RULES]


def test_any_event_can_be_renamed_to_any_name(acme: EventsWorld) -> None:
    acme.change("rename", key='a "b" <c>', name='x: "y" # <z>')
    assert 'x: "y" # <z>' in unescape(acme.editor.get("/o/acme/events").text)
    assert acme.sources()[-1].startswith(RULES.split("  'a", maxsplit=1)[0])


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201])
def test_an_invalid_name_is_rejected(acme: EventsWorld, name: str) -> None:
    acme.change("rename", key="report", name=name)
    assert acme.sources() == [RULES]


def test_a_rejected_key_is_listed_and_added_with_one_click(acme: EventsWorld) -> None:
    client = acme.dashboard.app.extensions[EXTENSION].broker.client
    note_unknown_keys(client, acme.id, {"invoice <paid>": 12, "logn": 3}, NOW)
    page = acme.editor.get("/o/acme/events")
    assert "invoice <paid> 12 just now just now" in unescape(text_of(page))
    text = acme.change("add", key="invoice <paid>")
    assert "invoice <paid> is now accepted." in text
    assert acme.enabled()["invoice <paid>"] is True
    assert acme.sources()[-1] == RULES.replace('co"}\n', 'co"}\n  "invoice <paid>":\n')
    remaining = acme.unknown_keys.of_organization(acme.id, NOW)
    assert [key.event_key for key in remaining] == ["logn"]


def test_a_key_that_is_stored_but_no_longer_configured_is_shown(acme: EventsWorld) -> None:
    acme.add_company("c1", 1, key="report")
    acme.apply_rules(RULES.replace("  report: {name: Report}\n", ""))
    text = text_of(acme.editor.get("/o/acme/events"))
    assert "no longer configured" in text
    assert "report 1 day ago 1" in text


def test_a_name_of_another_product_is_added_with_a_key_in_one_click(acme: EventsWorld) -> None:
    client = acme.dashboard.app.extensions[EXTENSION].broker.client
    note_unknown_keys(client, acme.id, {"Report Created": 3, "signup": 1}, NOW)
    text = acme.change("add", sent="Report Created")
    assert "Report Created is now accepted, as report_created." in text
    assert "Report Created report_created sent as Report Created enabled" in text
    added = "report_created: {name: Report Created, called: [Report Created]}"
    assert added in acme.sources()[-1]
    assert [key.event_key for key in acme.unknown_keys.of_organization(acme.id, NOW)] == ["signup"]
    assert "signup is now accepted." in acme.change("add", sent="signup")
    assert acme.enabled() | {"report_created": True, "signup": True} == acme.enabled()


def test_a_name_that_is_spelled_like_an_event_is_added_as_another_name_of_it(
    acme: EventsWorld,
) -> None:
    client = acme.dashboard.app.extensions[EXTENSION].broker.client
    note_unknown_keys(client, acme.id, {"REPORT": 3}, NOW)
    assert "REPORT becomes another name of Report 3" in text_of(acme.editor.get("/o/acme/events"))
    assert "REPORT is now accepted, as report." in acme.change("add", sent="REPORT")
    assert "report: {name: Report, called: [REPORT]}" in acme.sources()[-1]
    assert acme.unknown_keys.of_organization(acme.id, NOW) == []


def test_a_configured_event_is_not_added_again(acme: EventsWorld) -> None:
    assert "login is configured already." in acme.change("add", key="login")
    assert "stands for all events" in acme.change("add", key="any")
    assert acme.sources() == [RULES]


def test_without_rules_the_first_event_creates_them(dashboard: Dashboard) -> None:
    acme = EventsWorld(dashboard, rules=None)
    assert "No events configured yet" in text_of(acme.editor.get("/o/acme/events"))
    acme.change("add", key="login", name="Signed in")
    assert acme.sources() == ["version: 1\n\nevents:\n  login: {name: Signed in}\n"]


def test_users_whose_company_is_not_known_are_listed_with_what_waits_and_what_to_do(
    acme: EventsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Waiting for their company" not in acme.editor.get("/o/acme/events").text
    add_waiting(acme, "u-1", "login", "e1", hours=5)
    add_waiting(acme, "u-1", "report", "e2", hours=4)
    add_waiting(acme, "<u-2>", None, None, hours=2)
    page = acme.editor.get("/o/acme/events")
    text = text_of(page).partition("Waiting for their company")[2]
    assert "u-1 2 5 hours ago login, report" in text
    assert "&lt;u-2&gt; 1 2 hours ago none, only fields" in text
    assert "Send a record that names the user together with the company" in text

    monkeypatch.setattr(events, "WAITING_USERS", 1)
    text = text_of(acme.editor.get("/o/acme/events"))
    assert "Waiting for their company 3" in text
    assert "And more users" in text
    assert "u-2" not in text


def add_waiting(
    world: EventsWorld, user: str, key: str | None, event_id: str | None, *, hours: int
) -> None:
    since = NOW - timedelta(hours=hours)
    record = NewWaitingRecord(user, key, event_id, since, since, [b"1", b"{}"])
    with transaction():
        assert waiting_records.add(world.id, [record])


def test_a_change_on_an_outdated_page_changes_nothing(acme: EventsWorld) -> None:
    newer = RULES + "# by bob\n"
    acme.apply_rules(newer)
    text = acme.change("switch", key="report", enabled="", began_from=1)
    assert "Nothing was changed: version 2 of the rules was applied" in text
    assert acme.sources() == [RULES, newer]
    for began_from in ("", "x", "-1", "99", "99999999999999999999"):
        acme.change("switch", key="report", enabled="", began_from=began_from)
    assert acme.sources() == [RULES, newer]


def test_without_redis_only_the_rejected_keys_are_missing(
    serve_dashboard: ServeDashboard,
) -> None:
    acme = EventsWorld(serve_dashboard(queue_url="redis://127.0.0.1:1/0"))
    text = acme.change("add", key="invoice")
    assert "Redis does not respond" in text
    assert acme.enabled()["invoice"] is True


def test_viewers_only_read_and_others_see_nothing(acme: EventsWorld) -> None:
    viewer = acme.member("vi@acme.com", "viewer")
    page = viewer.get("/o/acme/events")
    assert "Signed in" in page.text
    assert "Disable" not in page.text
    assert "Add an event" not in page.text
    other = acme.dashboard.organization("other")
    stranger = acme.dashboard.signed_in("eve@other.com", (other, "administrator"))
    assert stranger.get("/o/acme/events").status_code == 404
    form = {"key": "report", "enabled": "", "name": "x", "began_from": 1}
    for what in ("switch", "rename", "add"):
        assert viewer.post(f"/o/acme/events/{what}", **form).status_code == 403
        assert stranger.post(f"/o/acme/events/{what}", **form).status_code == 404
    acme.editor.token = None
    assert acme.editor.post("/o/acme/events/switch", **form).status_code == 400
    assert acme.sources() == [RULES]


def test_an_event_of_another_organization_stays_as_it_is(acme: EventsWorld) -> None:
    other = acme.dashboard.organization("other")
    with transaction():
        apply_rules(other.id, RULES, file="r", applied_by="x", now=NOW)
    acme.change("switch", key="report", enabled="")
    with transaction():
        assert event_keys.read_settings(other.id).enabled["report"] is True
        assert organizations.find("other") is not None
