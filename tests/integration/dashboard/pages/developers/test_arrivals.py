"""The page that waits for what arrives, and shows what was understood of it."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.pages.developers.arrivals import WATCHED_FOR
from dashboard.web.context import EXTENSION
from models.database import execute, transaction
from queues.refused.requests import RefusedRequests
from services.events.set_aside import set_aside
from tests.support.dashboard.application import NOW, Browser, Dashboard, ServeDashboard, text_of
from tests.support.dashboard.developers import BASE
from tests.support.ingress.refusals import note_unknown_keys, refusal
from tests.support.world import World

RULES = "version: 1\nevents: {login: {name: Signed in}, report: }\n"
HTMX = {"HX-Request": "true"}
ARRIVALS = f"{BASE}/connect/arrivals"


class Waiting(World):
    """An organization, and the browser of an editor who waits."""

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__(dashboard.organization("acme"), NOW)
        self.dashboard = dashboard
        self.apply_rules(RULES)
        self.browser: Browser = dashboard.signed_in("ed@acme.com", (self.organization, "editor"))

    @property
    def redis(self) -> Any:
        return self.dashboard.app.extensions[EXTENSION].broker.client

    def read(self, address: str = ARRIVALS) -> str:
        answer = self.browser.get(address)
        assert answer.status_code == 200
        return unescape(text_of(answer))

    def next_look(self, address: str = ARRIVALS) -> str:
        """The address that a page asks again."""
        found = re.search(r'data-wait hx-get="([^"]+)"', self.browser.get(address).text)
        assert found, "the page does not wait"
        return unescape(found[1])

    def look(self, address: str) -> tuple[int, str]:
        answer = self.browser.get(address, headers=HTMX)
        assert "<html" not in answer.text
        return answer.status_code, unescape(text_of(answer))


@pytest.fixture
def acme(dashboard: Dashboard) -> Waiting:
    return Waiting(dashboard)


def test_while_nothing_arrives_the_page_stays_as_it_is(acme: Waiting) -> None:
    text = acme.read()
    assert "Waiting for the first event or company." in text
    assert "Look again" in text  # without scripts
    assert acme.look(acme.next_look()) == (204, "")


def test_every_answer_of_the_ingress_has_a_cure(acme: Waiting) -> None:
    help_text = acme.read().partition("Nothing happens?")[2]
    for status in (400, 401, 403, 404, 413, 429, 503):
        assert help_text.count(f" {status} :") == 1, status
    assert "the rules do not list the event key" in help_text


QUIET = "{flag: Quiet, event: login, when: {At Risk: no activity for 7 days}}"
FLAG = f"flags: [{QUIET}]\n"
FLAGS = f"flags: [{QUIET}, {QUIET.replace('Quiet', 'Seats in use')}]\n"


@pytest.mark.parametrize(
    ("first", "rules", "offered"),
    [
        ("ed@acme.com", RULES, True),
        ("ed@acme.com", RULES + FLAG, False),
        ("first start", RULES + FLAGS, True),
        ("first start", RULES + FLAGS.replace("7 days", "9 days"), True),
        ("first start", RULES + FLAG, False),
        ("first start", RULES + FLAG.replace("Quiet", "Champion"), False),
        ("first start", RULES, True),
    ],
)
def test_an_example_is_offered_until_flags_are_chosen(
    acme: Waiting, first: str, rules: str, *, offered: bool
) -> None:
    with transaction():
        execute("update rule_versions set applied_by = %(first)s, source = %(source)s"
                " where organization_id = %(id)s",
                {"id": acme.id, "first": first, "source": RULES + FLAGS})  # fmt: skip
    acme.apply_rules(rules)
    assert ("Start from an example" in acme.read("/o/acme/")) is offered
    acme.track("c1", -60)
    text = acme.read(f"{ARRIVALS}?after=0")
    assert ("Choose an example of rules" in text, "Open Rules" in text) == (offered, not offered)


def test_the_first_event_is_shown_as_it_was_understood(acme: Waiting) -> None:
    address = acme.next_look()
    acme.track(
        "c/1", -3600, received=-1, user="u1", name="Acme", plan="Pro", crm_provider="hubspot",
        user_fields={"email": "ann@acme.com"}, data={"pages": 3, "b": "<b>"},
    )  # fmt: skip
    status, text = acme.look(address)
    assert status == 200
    for shown in (
        "It works: an event has arrived.",
        "Event Signed in login",
        "Company Acme c/1",
        "User u1",
        "Time 1 hour ago , received just now",
        'Company\'s fields crm_provider "hubspot" plan "Pro"',
        'User\'s fields email "ann@acme.com"',
        "pages 3",
        "New company: Acme",
    ):
        assert shown in text, shown
    page = acme.browser.get(address, headers=HTMX).text
    assert "data-wait" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page or "\\u003cb\\u003e" in page


def test_companies_without_events_count_as_arrived(acme: Waiting) -> None:
    address = acme.next_look()
    acme.track("c1", -60, name="Acme")
    with transaction():
        execute("delete from events where organization_id = %(id)s", {"id": acme.id})
        execute("update companies set last_event_at = null where organization_id = %(id)s",
                {"id": acme.id})  # fmt: skip
    status, text = acme.look(address)
    assert status == 200
    assert (
        "It works: companies have arrived. New company: Acme . None of them has an event yet."
        in (text)
    )


def test_with_companies_the_page_waits_for_what_comes_after_it_was_opened(acme: Waiting) -> None:
    acme.track("c1", -60)
    address = acme.next_look()
    assert "Waiting for something new" in acme.read()
    assert acme.look(address)[0] == 204
    acme.dashboard.clock.advance(seconds=5)
    acme.track("c1", 4, key="report")
    status, text = acme.look(address)
    assert status == 200
    assert "Event report" in text
    assert "New compan" not in text
    acme.track("c2", 4, key="report", name="Globex")
    assert "New company: Globex" in acme.look(address)[1]


def test_the_newest_of_several_keys_is_shown(acme: Waiting) -> None:
    acme.track("c1", -10, key="report")
    acme.track("c1", -20, received=-5, key="login")
    assert "Event Signed in login" in acme.read(f"{ARRIVALS}?after=0")


def test_refused_events_are_shown_with_what_to_do(acme: Waiting) -> None:
    address = acme.next_look()
    note_unknown_keys(acme.redis, acme.id, {"Report Created": 2, "login": 1}, NOW)
    RefusedRequests(acme.redis).note(acme.id, [refusal(at=NOW, event_key="report")], NOW)
    status, text = acme.look(address)
    assert status == 200
    assert "An event was refused, because no rule file lists it." in text
    assert "Report Created 2 just now Add" in text
    assert "Invalid data company.name Required report /v1/track just now" in text
    assert "Waiting for the first event or company." in text
    again = acme.next_look(address)
    assert parse_qs(urlsplit(again).query)["seen"] != parse_qs(urlsplit(address).query)["seen"]
    assert acme.look(again)[0] == 204
    acme.browser.post("/o/acme/events/add", sent="Report Created", began_from="1")
    assert "no rule file lists" not in acme.read()


def test_what_was_refused_before_the_page_was_opened_is_not_shown(acme: Waiting) -> None:
    acme.track("c1", -60)
    note_unknown_keys(acme.redis, acme.id, {"Old": 1}, NOW - timedelta(seconds=1))
    assert "Old" not in acme.read()


def test_events_that_could_not_be_stored_are_mentioned(acme: Waiting) -> None:
    with transaction():
        set_aside(acme.id, (b"1", b"{}", b"t", b"1"), "DataError: no")
        execute("update rejected_events set rejected_at = %(at)s where organization_id = %(id)s",
                {"at": NOW, "id": acme.id})  # fmt: skip
    assert "Events were accepted and could not be stored." in acme.read()


def test_after_an_hour_the_page_no_longer_looks_by_itself(acme: Waiting) -> None:
    acme.track("c1", -60)
    address = acme.next_look()
    acme.dashboard.clock.at += WATCHED_FOR
    answer = acme.browser.get(address, headers=HTMX)
    assert answer.status_code == 200
    assert "data-wait" not in answer.text
    assert "Nothing has arrived since" in answer.text


@pytest.mark.parametrize(
    "arguments", ["since=x&after=1", "after=-1", "after=x", "since=9999-12-31"]
)
def test_arguments_that_cannot_be_read_begin_a_new_watch(acme: Waiting, arguments: str) -> None:
    assert "Waiting for" in acme.read(f"{ARRIVALS}?{arguments}")


def test_while_redis_does_not_respond_events_are_shown(serve_dashboard: ServeDashboard) -> None:
    acme = Waiting(serve_dashboard(queue_url="redis://127.0.0.1:1/0"))
    assert "Redis does not respond" in acme.read()
    acme.track("c1", -60)
    assert "It works" in acme.read(f"{ARRIVALS}?after=0")
