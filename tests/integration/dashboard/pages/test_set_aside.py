"""Events that are set aside, in the dashboard."""

import re
from html import unescape
from typing import Any

import orjson
import pytest

from dashboard.pages import set_aside as set_aside_page
from dashboard.web.context import EXTENSION
from models.database import execute, transaction
from models.events import rejected_events
from models.organizations import audit_log
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import LaneQueue
from services.events import rejected
from services.events.set_aside import set_aside
from tests.support.dashboard.application import NOW, Dashboard, ServeDashboard, text_of
from tests.support.dashboard.editor import EditorWorld

BASE = "/o/acme/events/set-aside"
RULES = "version: 1\nevents: {login: {name: Signed in}}\n"
HOSTILE = "<script>alert('\"&x')</script>"


class SetAsideWorld(EditorWorld):
    """A world whose editor has opened the list of events that are set aside."""

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__(dashboard, RULES)
        self.editor.get(BASE)

    @property
    def journal(self) -> LaneQueue:
        return LaneQueue.of_events(self.dashboard.app.extensions[EXTENSION].broker.client)

    def set_aside(
        self, event_id: str, company: str = "c1", reason: str = "DataError: no", **changed: Any
    ) -> int:
        """Set an event aside and return its number."""
        message = {
            "organization_id": self.id,
            "key_id": None,
            "event_id": event_id,
            "event_key": "login",
            "company": {"id": company, "name": company},
            "user": None,
            "data": None,
            "occurred_at": NOW,
            "received_at": NOW,
        }
        fields = (b"1", orjson.dumps(message | changed), b"t", b"1769000000000000")
        return self.set_aside_entry(*fields, reason=reason)

    def set_aside_entry(self, *fields: bytes, reason: str = "not JSON: no") -> int:
        with transaction():
            set_aside(self.id, fields, reason)
            return rejected_events.latest_id(self.id)

    def ids(self) -> list[int]:
        with transaction():
            return [event.id for event in rejected_events.read_page(self.id, {}, limit=100)[0]]

    def read(self, path: str = "") -> str:
        response = self.editor.get(BASE + path)
        assert response.status_code == 200, response.status
        return unescape(text_of(response))

    def send(self, path: str) -> str:
        """Submit a form and read the page that it leads to."""
        response = self.editor.post(BASE + path)
        assert response.status_code == 303, response.status
        return unescape(text_of(self.editor.get(response.location)))

    def waiting(self) -> dict[Lane, int]:
        return {waiting.lane: waiting.entries for waiting in self.journal.waiting()}

    def audited_last(self) -> tuple[str, str, str, dict[str, Any]]:
        with transaction():
            [entry] = audit_log.read_page(self.id, limit=1)
        return entry.made_by, entry.action, entry.subject, dict(entry.detail)


@pytest.fixture
def acme(dashboard: Dashboard) -> SetAsideWorld:
    return SetAsideWorld(dashboard)


def test_while_nothing_is_set_aside_all_is_well(acme: SetAsideWorld) -> None:
    assert "Nothing is set aside Every accepted event could be stored." in acme.read()
    assert "Retry" not in acme.read()
    page = text_of(acme.editor.get("/o/acme/events"))
    assert "Nothing: every accepted event could be stored." in page
    assert "could not be stored" not in text_of(acme.editor.get("/o/acme/"))


@pytest.mark.parametrize("companies", [0, 1])
def test_today_and_events_say_that_events_are_set_aside(
    acme: SetAsideWorld, companies: int
) -> None:
    for number in range(companies):
        acme.add_company(f"c{number}", 1)
    acme.set_aside("e1")
    for page in ("/o/acme/", "/o/acme/events"):
        response = acme.editor.get(page)
        assert f'href="{BASE}"' in response.text
        assert "1 accepted event could not be stored and is set aside, so it does" in text_of(
            response
        )
    acme.set_aside("e2")
    assert "2 accepted events could not be stored" in text_of(acme.editor.get("/o/acme/"))


def test_notices_do_not_count_further_than_a_thousand(
    acme: SetAsideWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejected_events, "MANY", 2)
    monkeypatch.setattr(set_aside_page, "MANY", 2)
    for number in range(4):
        acme.set_aside(f"e{number}")
    assert "More than 2 accepted events" in text_of(acme.editor.get("/o/acme/"))
    assert "Set aside more than 2 Events that" in acme.read()


def test_events_are_listed_newest_first_with_filters_and_pages(
    acme: SetAsideWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_aside_page, "PAGE", 2)
    acme.set_aside("e1", "bolt", reason="IntegrityError: 50 % of it\nDETAIL: more")
    acme.set_aside("e2")
    acme.set_aside_entry(b"2", b"\xff", reason="unknown format: 2")
    text = acme.read()
    assert "Set aside 3" in text
    assert text.index("unknown unknown unknown format: 2") < text.index("c1 e2 DataError: no")
    assert "e1" not in text
    [older] = re.findall(r'href="([^"]+)" rel="next"', acme.editor.get(BASE).text)
    page = unescape(text_of(acme.editor.get(unescape(older))))
    assert "bolt e1 IntegrityError: 50 % of it" in page
    assert "DETAIL" not in page
    assert "Newest" in page
    assert "e2" not in acme.read("?company=bolt")
    assert "bolt e1" in acme.read("?company=+bolt+")
    assert "bolt e1" in acme.read("?reason=integrity")
    assert "No events to show" in acme.read("?reason=nothing")
    assert acme.editor.get(f"{BASE}?after=x").status_code == 400


def test_an_event_is_shown_with_its_reason_and_its_content(acme: SetAsideWorld) -> None:
    acme.add_company("known", 1)
    known = acme.set_aside("e1", "known", reason="DataError: no\nDETAIL: 5")
    unknown = acme.set_aside("e2", "never stored")
    text = acme.read(f"/{known}")
    assert "Event e1" in text
    assert "DataError: no DETAIL: 5" in text
    assert '{ "event_id": "e1"' in text or '"event_id": "e1"' in text, "indented"
    assert "Field" not in text
    page = acme.editor.get(f"{BASE}/{known}").text
    assert 'href="/o/acme/companies/known"' in page
    assert "2026-01-21" in page, "when it was accepted"
    assert 'href="/o/acme/companies/never' not in acme.editor.get(f"{BASE}/{unknown}").text


def test_content_that_is_not_text_is_escaped_and_long_content_is_cut(
    acme: SetAsideWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_aside_page, "LONGEST_SHOWN", 20)
    odd = acme.set_aside_entry(b"2", b"\xff\x00<b>", b"x<y", b"z" * 30, b"t", b"5")
    page = acme.editor.get(f"{BASE}/{odd}").text
    assert "\\xff\\x00&lt;b&gt;" in page
    assert f">{'z' * 20}<" in page
    text = acme.read(f"/{odd}")
    assert f"Entry {odd}" in text
    assert "It cannot be retried: its format, 2 , is not known to this release" in text
    assert "This is its beginning" not in text
    assert "Retry" not in text
    long = acme.set_aside_entry(b"1", b"y" * 21)
    text = acme.read(f"/{long}")
    assert f"brazebee rejected show {long} --org acme prints all of it. Commands run on the" in text
    assert "y" * 21 not in text


def test_content_of_customers_is_escaped_everywhere(acme: SetAsideWorld) -> None:
    id_ = acme.set_aside(HOSTILE, HOSTILE, reason=HOSTILE)
    acme.set_aside_entry(HOSTILE.encode(), HOSTILE.encode(), HOSTILE.encode(), HOSTILE.encode())
    other = acme.ids()[0]
    for path in ("", f"/{id_}", f"/{other}", f"/{id_}/drop", f"/drop?reason={HOSTILE[:8]}"):
        page = acme.editor.get(BASE + path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text, path


def test_a_retried_event_returns_to_the_journal_and_the_audit_log_has_it(
    acme: SetAsideWorld,
) -> None:
    id_ = acme.set_aside("e1")
    assert "1 event is being stored." in acme.send(f"/{id_}/retry")
    assert acme.ids() == []
    assert acme.waiting() == {Lane.of_company(acme.id, "c1"): 1}
    assert acme.audited_last() == ("ed@acme.com", "Events retried", "e1", {"company": "c1"})
    assert "This is no longer set aside" in acme.send(f"/{id_}/retry")
    assert "This is no longer set aside" in acme.send(f"/{id_}/drop")


def test_what_cannot_be_retried_stays_with_the_reason(acme: SetAsideWorld) -> None:
    id_ = acme.set_aside_entry(b"2", b"{}")
    text = acme.send(f"/{id_}/retry")
    assert "This event cannot be retried: its format, 2 , is not known to this release" in text
    assert acme.ids() == [id_]


def test_all_events_that_the_filters_match_are_retried(
    acme: SetAsideWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, unreadable = acme.set_aside("e1", "other"), acme.set_aside_entry(b"2", b"{}")
    for number in range(3):
        acme.set_aside(f"f{number}")
    assert "3 events are being stored." in acme.send("/retry?company=c1")
    assert acme.ids() == [unreadable, other]
    text = acme.send("/retry")
    assert "1 event is being stored." in text
    assert "1 cannot be retried; open one to see why." in text
    assert acme.ids() == [unreadable]
    acme.set_aside("g1")
    monkeypatch.setattr(rejected, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(set_aside_page, "TRANSACTIONS", 1)
    assert "being stored" not in acme.send("/retry"), "the first one cannot be read"
    assert len(acme.ids()) == 2


def test_an_event_is_dropped_after_a_question(acme: SetAsideWorld) -> None:
    kept, id_ = acme.set_aside("e1"), acme.set_aside("e2")
    assert "Drop this event? The event e2 of the company c1 was" in acme.read(f"/{id_}/drop")
    assert "1 event was dropped." in acme.send(f"/{id_}/drop")
    assert acme.ids() == [kept]
    assert acme.audited_last() == ("ed@acme.com", "Events dropped", "e2", {"company": "c1"})
    assert acme.waiting() == {}


def test_only_the_events_that_the_question_counted_are_dropped(acme: SetAsideWorld) -> None:
    other, first = acme.set_aside("e1", "other"), acme.set_aside("e2")
    second = acme.set_aside("e3")
    question = acme.editor.get(f"{BASE}/drop?company=c1&reason=dataerror")
    assert "Drop 2 events?" in text_of(question)
    assert "of the company c1 for a reason with dataerror" in text_of(question)
    newer = acme.set_aside("e4")
    assert f"until={second}&amp;company=c1&amp;reason=dataerror" in question.text
    assert "2 events were dropped." in acme.send(
        f"/drop?until={second}&company=c1&reason=dataerror"
    )
    assert acme.ids() == [newer, other]
    assert first not in acme.ids()
    for until in ("", "?until=x", "?until=-1", f"?until={2**63}"):
        assert "0 events were dropped." in acme.send(f"/drop{until}")
    assert acme.ids() == [newer, other]
    assert acme.editor.get(f"{BASE}/drop?company=nobody").status_code == 303


def test_without_redis_events_are_shown_and_dropped_but_not_retried(
    serve_dashboard: ServeDashboard,
) -> None:
    acme = SetAsideWorld(serve_dashboard(queue_url="redis://127.0.0.1:1/0"))
    first, second = acme.set_aside("e1"), acme.set_aside("e2")
    assert "e1" in acme.read()
    assert "Redis does not respond, so nothing was retried." in acme.send(f"/{first}/retry")
    assert "Redis does not respond, so not all events were retried." in acme.send("/retry")
    assert acme.ids() == [second, first]
    assert "1 event was dropped." in acme.send(f"/{first}/drop")
    assert acme.ids() == [second]


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("editor", 303), ("administrator", 303)]
)
def test_editors_and_administrators_may_retry_and_drop(
    acme: SetAsideWorld, role: str, status: int
) -> None:
    ids = [acme.set_aside(f"e{number}") for number in range(4)]
    member = acme.member(f"{role}@acme.com", role)
    for path in ("", f"/{ids[0]}"):
        page = member.get(BASE + path)
        assert page.status_code == 200
        assert ("Retry" in page.text) == ("Drop" in page.text) == (status == 303)
    for path in (f"/{ids[0]}/drop", "/drop"):
        assert member.get(BASE + path).status_code == (200 if status == 303 else 403)
    for path in (f"/{ids[0]}/retry", f"/{ids[1]}/drop", f"/drop?until={ids[2]}", "/retry"):
        assert member.post(BASE + path).status_code == status, path
    assert len(acme.ids()) == (0 if status == 303 else 4)


def test_others_see_nothing_and_a_form_of_another_site_changes_nothing(
    acme: SetAsideWorld,
) -> None:
    id_ = acme.set_aside("e1")
    other = acme.dashboard.organization("other")
    stranger = acme.dashboard.signed_in("eve@other.com", (other, "administrator"))
    theirs = "/o/other/events/set-aside"
    assert "Nothing is set aside" in text_of(stranger.get(theirs))
    for path in ("", f"/{id_}", f"/{id_}/drop", "/drop"):
        assert stranger.get(BASE + path).status_code == 404
    for path in (f"/{id_}", f"/{id_}/drop", "/99999999999999999999", "/x"):
        assert stranger.get(theirs + path).status_code == 404
    stranger.get(theirs)
    for path in (f"/{id_}/retry", f"/{id_}/drop", "/retry", f"/drop?until={id_}"):
        assert stranger.post(BASE + path).status_code == 404
        assert stranger.post(theirs + path).status_code == 303
    acme.editor.token = None
    for path in (f"/{id_}/retry", f"/{id_}/drop", "/retry", f"/drop?until={id_}"):
        assert acme.editor.post(BASE + path).status_code == 400
    assert acme.ids() == [id_]
    assert acme.waiting() == {}


def test_a_very_large_number_of_events_is_counted_no_further_than_needed(
    acme: SetAsideWorld,
) -> None:
    with transaction():
        execute(
            "insert into rejected_events (organization_id, entry, error)"
            " select %(id)s, array['1', '{}']::bytea[], 'no' from generate_series(1, 1500)",
            {"id": acme.id},
        )
    assert "Set aside more than 1,000" in acme.read()
    assert "Drop 1,500 events?" in acme.read("/drop")
