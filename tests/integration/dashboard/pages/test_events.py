"""Events in the dashboard: what is taken, how often it comes, and what is sent in vain."""

from html import unescape
from typing import Any

import pytest

from dashboard.web.context import EXTENSION
from models.database import transaction
from models.events import hourly_counts
from models.keys import event_keys
from models.organizations import audit_log, organizations, rule_versions
from queues.unknown_event_keys import UnknownKeys
from services.rules.apply_rules import apply_rules
from tests.support.dashboard import NOW, Browser, Dashboard, ServeDashboard, text_of
from tests.support.dashboard_companies import store_company

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


class Acme:
    """An organization with rules, and an editor who is signed in."""

    def __init__(self, dashboard: Dashboard, rules: str | None = RULES) -> None:
        self.dashboard = dashboard
        self.organization = dashboard.organization("acme")
        if rules is not None:
            self.apply(rules)
        self.editor = self.member("ed@acme.com", "editor")
        self.editor.get("/o/acme/events")

    @property
    def unknown_keys(self) -> UnknownKeys:
        return UnknownKeys(self.dashboard.app.extensions[EXTENSION].broker.client)

    def member(self, email: str, role: str) -> Browser:
        return self.dashboard.signed_in(email, (self.organization, role))

    def apply(self, rules: str) -> None:
        with transaction():
            apply_rules(self.organization.id, rules, file="r", applied_by="brazebee up", now=NOW)

    def texts(self) -> list[str]:
        with transaction():
            return [one.source for one in rule_versions.list_after(self.organization.id, 0)]

    def change(self, what: str, **form: Any) -> str:
        """What the page says after a change."""
        form = {"began_from": len(self.texts()), **form}
        assert self.editor.post(f"/o/acme/events/{what}", **form).status_code == 303
        return unescape(text_of(self.editor.get("/o/acme/events")))

    def enabled(self) -> dict[str, bool]:
        with transaction():
            return event_keys.read_enabled(self.organization.id)


@pytest.fixture
def acme(dashboard: Dashboard) -> Acme:
    return Acme(dashboard)


def test_each_event_is_shown_with_its_volumes_and_flags(acme: Acme) -> None:
    store_company(acme.organization, "c1", 0.1, 0.2, 3, 20, 50)
    with transaction():
        volume = hourly_counts.read_volumes(acme.organization.id, NOW)["login"]
    assert (volume.in_a_day, volume.in_a_week, volume.in_a_month) == (2, 3, 4)
    page = acme.editor.get("/o/acme/events")
    said = text_of(page)
    assert "Signed in login on 2 hours ago 2 3 4 Gone quiet" in said
    assert "Report report on never 0 0 0 none" in said
    assert "&lt;Odd&gt; &amp; co" in page.text
    assert "<Odd>" not in page.text


def test_a_switch_is_a_new_version_in_which_nothing_else_changed(acme: Acme) -> None:
    said = acme.change("switch", key="report", enabled="")
    assert "report is refused from now on." in said
    assert acme.texts()[-1] == RULES.replace("{name: Report}", "{name: Report, enabled: false}")
    assert acme.enabled()["report"] is False
    acme.change("switch", key="report", enabled="on")
    assert acme.enabled()["report"] is True
    with transaction():
        latest, first = audit_log.read_page(acme.organization.id, limit=2)
    assert (first.made_by, first.action, first.subject) == (
        "ed@acme.com",
        "Event switched off",
        "report",
    )
    assert latest.detail == {"rules version": 3}


def test_an_event_that_a_flag_counts_stays_on_and_it_is_said_why(acme: Acme) -> None:
    said = acme.change("switch", key="login", enabled="")
    assert "the event `login` is disabled, so it can never be counted" in said
    assert acme.texts() == [RULES]


def test_an_event_is_renamed_whatever_its_key_and_name(acme: Acme) -> None:
    acme.change("rename", key='a "b" <c>', name='x: "y" # <z>')
    assert 'x: "y" # <z>' in unescape(acme.editor.get("/o/acme/events").text)
    assert acme.texts()[-1].startswith(RULES.split("  'a", maxsplit=1)[0])


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201])
def test_what_is_no_name_is_refused(acme: Acme, name: str) -> None:
    acme.change("rename", key="report", name=name)
    assert acme.texts() == [RULES]


def test_a_key_that_is_sent_in_vain_is_listed_and_added_by_one_click(acme: Acme) -> None:
    acme.unknown_keys.note(acme.organization.id, {"invoice <paid>": 12, "logn": 3}, NOW)
    page = acme.editor.get("/o/acme/events")
    assert "invoice <paid> 12 just now just now" in unescape(text_of(page))
    said = acme.change("add", key="invoice <paid>")
    assert "invoice <paid> is taken now." in said
    assert acme.enabled()["invoice <paid>"] is True
    assert acme.texts()[-1] == RULES.replace('co"}\n', 'co"}\n  "invoice <paid>":\n')
    left = acme.unknown_keys.of_organization(acme.organization.id, NOW)
    assert [one.event_key for one in left] == ["logn"]


def test_a_key_that_is_stored_but_not_configured_any_more_is_shown(acme: Acme) -> None:
    store_company(acme.organization, "c1", 1, key="report")
    acme.apply(RULES.replace("  report: {name: Report}\n", ""))
    said = text_of(acme.editor.get("/o/acme/events"))
    assert "no longer configured" in said
    assert "report 1 day ago 1" in said


def test_what_is_configured_already_is_not_added_again(acme: Acme) -> None:
    assert "`login` is configured already." in acme.change("add", key="login")
    assert "stands for all events" in acme.change("add", key="any")
    assert acme.texts() == [RULES]


def test_without_rules_the_first_event_begins_them(dashboard: Dashboard) -> None:
    acme = Acme(dashboard, rules=None)
    assert "No events configured yet" in text_of(acme.editor.get("/o/acme/events"))
    acme.change("add", key="login", name="Signed in")
    assert acme.texts() == ["version: 1\n\nevents:\n  login: {name: Signed in}\n"]


def test_a_switch_on_a_page_from_before_another_version_changes_nothing(acme: Acme) -> None:
    newer = RULES + "# by bob\n"
    acme.apply(newer)
    said = acme.change("switch", key="report", enabled="", began_from=1)
    assert "Nothing was changed: version 2 of the rules came into force" in said
    assert acme.texts() == [RULES, newer]
    for began_from in ("", "x", "-1", "99", "99999999999999999999"):
        acme.change("switch", key="report", enabled="", began_from=began_from)
    assert acme.texts() == [RULES, newer]


def test_a_queue_that_is_down_takes_nothing_but_the_list_of_keys(
    serve_dashboard: ServeDashboard,
) -> None:
    acme = Acme(serve_dashboard(queue_url="redis://127.0.0.1:1/0"))
    said = acme.change("add", key="invoice")
    assert "Redis does not respond" in said
    assert acme.enabled()["invoice"] is True


def test_viewers_read_and_others_learn_of_nothing(acme: Acme) -> None:
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
    assert acme.texts() == [RULES]


def test_an_event_of_another_organization_stays_as_it_is(acme: Acme) -> None:
    other = acme.dashboard.organization("other")
    with transaction():
        apply_rules(other.id, RULES, file="r", applied_by="x", now=NOW)
    acme.change("switch", key="report", enabled="")
    with transaction():
        assert event_keys.read_enabled(other.id)["report"] is True
        assert organizations.find("other") is not None
