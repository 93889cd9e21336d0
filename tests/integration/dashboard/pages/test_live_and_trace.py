"""What comes in, and what became of one event, in the dashboard."""

import re
from datetime import timedelta
from html import unescape

import pytest

from dashboard.presentation.wording import exact_time
from dashboard.web.context import EXTENSION
from queues.arrivals import Announcements
from queues.refused.requests import RefusedRequests
from services.time_zones import DEFAULT
from tests.support.dashboard.application import NOW, Dashboard, ServeDashboard, text_of
from tests.support.dashboard.editor import EditorWorld
from tests.support.dashboard.elements import fetched_by
from tests.support.ingress.application import NO_REDIS
from tests.support.ingress.refusals import refusal

EVENTS = "/o/acme/events"
RULES = """
version: 1
statuses: [Healthy, At Risk]
events: {login: {name: Signed in}}
flags: [{flag: Quiet, event: login, when: {At Risk: less than 2 times in 7 days}}]
"""
HOSTILE = "<script>alert('\"&x')</script>"


class IncomingWorld(EditorWorld):
    """A world in which somebody watches what comes in."""

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__(dashboard, RULES)
        self.client = dashboard.app.extensions[EXTENSION].broker.client

    def come_in(self, company: str, event_id: str, **event: object) -> None:
        """Store an event, and announce it as a worker does."""
        tracked = self.event(company, event_id=event_id, **event)
        self.store(tracked)
        Announcements(self.client).announce(self.id, [tracked])

    def refuse(self, **changes: object) -> None:
        RefusedRequests(self.client).note(self.id, [refusal(at=NOW, **changes)], NOW)

    def read(self, path: str) -> str:
        response = self.editor.get(EVENTS + path)
        assert response.status_code == 200, response.status
        return unescape(text_of(response))


@pytest.fixture
def acme(dashboard: Dashboard) -> IncomingWorld:
    return IncomingWorld(dashboard)


def test_before_the_first_event_the_page_says_what_to_expect(acme: IncomingWorld) -> None:
    assert "Nothing has come in yet" in acme.read("/live")


def test_events_are_shown_as_they_come_in(acme: IncomingWorld) -> None:
    acme.come_in("c1", "e1", user="ann")
    page = acme.editor.get(f"{EVENTS}/live")
    time = f"{NOW:%H:%M:%S}"
    assert f"{time} stored login C1 c1 ann e1" in text_of(page)
    [poll] = fetched_by(page.text)
    assert acme.editor.get(poll).status_code == 204
    acme.come_in("c2", "e2")
    acme.refuse(event_id="r1")
    lines = acme.editor.get(poll)
    assert sorted(re.findall(r"(stored|refused) login (\S+)", text_of(lines))) == [
        ("refused", "c1"),
        ("stored", "C1"),
        ("stored", "C2"),
    ]
    assert "<html" not in lines.text
    [following] = fetched_by(lines.text)
    assert acme.editor.get(following).status_code == 204


def test_a_company_has_its_name_and_its_id(acme: IncomingWorld) -> None:
    acme.come_in("c1", "e1", name="Acorn & Co")
    acme.come_in("c2", "e2", name="\u200b")
    text = acme.read("/live")
    assert "login Acorn & Co c1 none e1" in text
    assert "login c2 none e2" in text


def test_imported_events_are_counted_above_the_list(acme: IncomingWorld) -> None:
    page = acme.editor.get(f"{EVENTS}/live")
    [poll] = fetched_by(page.text)
    past = [
        acme.event("c1", NOW - timedelta(days=days), received=NOW)._replace(historical=True)
        for days in range(1, 41)
    ]
    acme.store(*past)
    Announcements(acme.client).announce(acme.id, past)
    text = unescape(text_of(acme.editor.get(poll)))
    span = " to ".join(exact_time(NOW - timedelta(days=days), DEFAULT) for days in (40, 1))
    assert f"40 imported events came in, of {span}. They are not listed one by one." in text
    assert "Nothing else has come in yet" in text
    acme.come_in("c1", "e1")
    assert "40 imported events came in" in acme.read("/live")
    assert "stored login C1 c1 none e1" in acme.read("/live")


def test_what_was_imported_before_is_marked_with_its_time(acme: IncomingWorld) -> None:
    occurred_at = NOW - timedelta(days=3)
    acme.store(acme.event("c1", occurred_at, received=NOW, event_id="e1"))
    line = f"of {exact_time(occurred_at, DEFAULT)} imported or late login C1 c1 none e1"
    assert line in acme.read("/live")


def test_each_line_links_to_more(acme: IncomingWorld) -> None:
    acme.come_in("c/1", "e&1")
    acme.refuse(error=HOSTILE, details=[], event_key=HOSTILE, event_id=HOSTILE)
    page = acme.editor.get(f"{EVENTS}/live")
    assert "<script>alert" not in page.text
    links = [unescape(link) for link in re.findall(r'<a class="long" href="([^"]+)"', page.text)]
    assert len(links) == 3
    for link in links:
        assert acme.editor.get(link).status_code == 200, link


def test_a_trace_is_shown_step_by_step(acme: IncomingWorld) -> None:
    acme.come_in("c1", "e1", user="ann")
    acme.judge("c1")
    text = acme.read("/trace?id=e1")
    assert "login of c1 by ann" in text
    for step in ("Received It was accepted.", "Stored It counts", "Judged The company is judged"):
        assert step in text, step
    assert "the event counts for Quiet." in text
    assert "Changed Healthy → At Risk: Quiet from N/A to At Risk." in text


def test_the_timeline_links_to_the_trace_of_each_event(acme: IncomingWorld) -> None:
    acme.come_in("c1", "e 1?&")
    timeline = acme.editor.get("/o/acme/companies/c1/timeline").text
    [link] = re.findall(r'href="([^"]*/trace[^"]*)" aria-label="Trace of Signed in', timeline)
    assert "Stored" in text_of(acme.editor.get(unescape(link)))


def test_a_refused_event_is_traced_to_its_request(acme: IncomingWorld) -> None:
    acme.refuse(event_id="r1")
    page = acme.editor.get(f"{EVENTS}/trace?id=r1")
    assert "/v1/track answered 400 to the key" in unescape(text_of(page))
    assert "Commands run on the server" in text_of(page)
    [link] = re.findall(r'href="([^"]+)">View the request', page.text)
    assert acme.editor.get(link).status_code == 200


@pytest.mark.parametrize("event_id", ["e2", HOSTILE, "x" * 5_000, "\u202e\u05d0"])
def test_an_unknown_event_gets_a_clear_answer(acme: IncomingWorld, event_id: str) -> None:
    page = acme.editor.get(f"{EVENTS}/trace", query_string={"id": event_id})
    assert page.status_code == 200
    assert "No such event No event with this ID is stored, waits to be stored" in text_of(page)
    assert "<script>alert" not in page.text


def test_without_an_id_the_page_asks_for_one(acme: IncomingWorld) -> None:
    assert "No such event" not in acme.read("/trace")
    assert "No such event" not in acme.read("/trace?id=+")


def test_without_redis_both_pages_say_so(serve_dashboard: ServeDashboard) -> None:
    world = EditorWorld(serve_dashboard(queue_url=NO_REDIS), RULES)
    assert "Redis does not respond" in text_of(world.editor.get(f"{EVENTS}/live"))
    assert "Redis does not respond" in text_of(world.editor.get(f"{EVENTS}/live/newest"))
    assert "Redis does not respond" in text_of(world.editor.get(f"{EVENTS}/trace?id=e1"))
