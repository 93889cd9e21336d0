"""Requests that were refused, in the dashboard."""

import json
import re
from html import unescape
from typing import Any

import pytest

from dashboard.web.context import EXTENSION
from models.database import transaction
from models.organizations import audit_log
from queues.lanes.lane_queue import LaneQueue
from queues.refused.requests import Refusal, RefusedRequest, RefusedRequests
from tests.support.dashboard.application import NOW, Dashboard, ServeDashboard, text_of
from tests.support.dashboard.editor import EditorWorld
from tests.support.ingress.application import NO_REDIS, memory_used
from tests.support.ingress.refusals import refusal

BASE = "/o/acme/events/refused"
RULES = "version: 1\nevents: {login: {name: Signed in}}\n"
GOOD = b'{"event_key":"login","company":{"id":"c1","name":"Acme"}}'
HOSTILE = "<script>alert('\"&x')</script>"


class RefusedWorld(EditorWorld):
    """A world whose editor has opened the list of refused requests."""

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__(dashboard, RULES)
        self.client = dashboard.app.extensions[EXTENSION].broker.client
        self.requests = RefusedRequests(self.client)
        self.editor.get(BASE)

    def refuse(self, *refusals: Refusal) -> list[str]:
        """Refuse requests, and return the ids of those that are kept, oldest first."""
        self.requests.note(self.id, refusals, NOW)
        return [kept.id for kept in self.kept()][::-1]

    def kept(self) -> list[RefusedRequest]:
        return list(self.requests.every(self.id, NOW))

    def read(self, path: str = "") -> str:
        response = self.editor.get(BASE + path)
        assert response.status_code == 200, response.status
        return unescape(text_of(response))

    def send(self, path: str) -> str:
        """Submit a form and read the page that it leads to."""
        response = self.editor.post(BASE + path)
        assert response.status_code == 303, response.status
        return unescape(text_of(self.editor.get(response.location)))

    def accepted(self) -> int:
        return sum(waiting.entries for waiting in LaneQueue.of_events(self.client).waiting())

    def audited_last(self) -> tuple[str, str, str, dict[str, Any]]:
        with transaction():
            [entry] = audit_log.read_page(self.id, limit=1)
        return entry.made_by, entry.action, entry.subject, dict(entry.detail)


@pytest.fixture
def acme(dashboard: Dashboard) -> RefusedWorld:
    return RefusedWorld(dashboard)


def test_while_nothing_is_refused_all_is_well(acme: RefusedWorld) -> None:
    text = acme.read()
    assert "Nothing was refused Everything that your application sent" in text
    assert "Send all" not in text


def test_requests_are_listed_newest_first_with_their_reasons(acme: RefusedWorld) -> None:
    acme.refuse(
        refusal(event_id="e-1"),
        refusal(status=404, error="Event setting not found for key: x", details=[], event_key="x"),
    )
    text = acme.read()
    assert "Refused 2" in text
    found = re.findall(
        r"(login|x) (e-1|none) (Invalid data: company.name: Required|Event \S+)", text
    )
    assert found == [
        ("x", "none", "Event setting"),
        ("login", "e-1", "Invalid data: company.name: Required"),
    ]


def test_the_list_is_filtered_and_continued(acme: RefusedWorld) -> None:
    acme.refuse(*(refusal(event_key=f"k{n % 2}", error=f"error {n}") for n in range(110)))
    text = acme.read("?event=k1&reason=ERROR")
    assert ("error 109" in text, "error 108" in text, "error 9:" in text) == (True, False, False)
    page = acme.editor.get(f"{BASE}?event=k1")
    [next_page] = re.findall(r'href="([^"]+)" rel="next"', page.text)
    assert "error 9:" in text_of(acme.editor.get(unescape(next_page)))
    assert "No requests to show" in acme.read("?event=other")
    assert "error 109" in acme.read("?after=nonsense")


def test_a_request_is_shown_with_every_fault_and_its_body(acme: RefusedWorld) -> None:
    details = [
        {"path": ["company", "name"], "message": "Required"},
        {"path": ["data", HOSTILE], "message": HOSTILE},
    ]
    [number] = acme.refuse(refusal(details=details, event_id=HOSTILE, body=GOOD))
    page = acme.editor.get(f"{BASE}/{number}")
    text = unescape(text_of(page))
    assert "company.name : Required" in text
    assert f"data.{HOSTILE}</code>: <bdi>{HOSTILE}</bdi></li>" in unescape(page.text)
    assert "<script>alert" not in page.text
    assert '"company": { "id": "c1", "name": "Acme" }' in re.sub(r"\s+", " ", text)
    assert f"brazebee events resend {number} --org acme Copy Commands run on the server" in text


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", "It was not read."),
        (b"\xff\x00<b>", r"\xff\x00<b>"),
        (b'{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        (b'{"n": 1180591620717411303424}', '"n": 1180591620717411303424'),
        (b"[" * 20_000, "[[[["),
        ('{"a": "\u202e\u05d0\u05d1"}'.encode(), '"a": "\\u202e\u05d0\u05d1"'),
        (b"x" * 40_000, "This is its beginning."),
    ],
)
def test_any_body_can_be_shown(acme: RefusedWorld, body: bytes, shown: str) -> None:
    [number] = acme.refuse(refusal(body=body))
    assert shown in acme.read(f"/{number}")


def test_one_request_is_sent_again(acme: RefusedWorld) -> None:
    first, second = acme.refuse(refusal(body=GOOD, event_id="e-1"), refusal())
    assert "It was accepted as the event e-1, and is being stored." in acme.send(f"/{first}/send")
    assert acme.audited_last() == ("ed@acme.com", "Refused events sent again", "e-1", {})
    assert acme.accepted() == 1
    assert "It was refused again: Invalid data: company.name: Required." in acme.send(
        f"/{second}/send"
    )
    assert [kept.id for kept in acme.kept()] == [second]
    assert acme.editor.post(f"{BASE}/{first}/send").status_code == 404


def test_all_that_match_are_sent_again(acme: RefusedWorld) -> None:
    acme.refuse(
        refusal(body=GOOD), refusal(body=GOOD, event_key="other"), refusal(), refusal(body=GOOD)
    )
    text = acme.send("/send?event=login")
    assert "2 events were accepted, and are being stored." in text
    assert "1 was refused again, such as for: Invalid data: company.name: Required." in text
    _, action, subject, detail = acme.audited_last()
    assert (action, subject, detail["requests"].count("refused-")) == (
        "Refused events sent again",
        "2 requests",
        2,
    )
    assert [kept.refusal.event_key for kept in acme.kept()] == ["login", "other"]


def test_requests_are_dropped_after_a_question(acme: RefusedWorld) -> None:
    first, second, third = acme.refuse(refusal(event_id="e-1"), refusal(), refusal(event_key="x"))
    assert "Drop this request? An event with the key login" in acme.read(f"/{first}/drop")
    assert "1 request was dropped." in acme.send(f"/{first}/drop")
    assert acme.audited_last() == ("ed@acme.com", "Refused requests dropped", "e-1", {})
    question = acme.editor.get(f"{BASE}/drop?event=login")
    assert "Drop 1 request?" in text_of(question)
    acme.refuse(refusal(event_id="came later"))
    [action] = re.findall(r'action="([^"]*until[^"]*)"', question.text)
    assert "1 request was dropped." in acme.send(unescape(action).removeprefix(BASE))
    assert [kept.refusal.event_id for kept in acme.kept()] == ["came later", None]
    assert acme.kept()[1].id == third
    assert second not in [kept.id for kept in acme.kept()]
    assert acme.editor.post(f"{BASE}/drop?until=x").status_code == 400


def test_the_requests_of_others_cannot_be_reached(acme: RefusedWorld) -> None:
    acme.requests.note(acme.id + 1, [refusal()], NOW)
    [other] = acme.requests.page(acme.id + 1, NOW)
    assert acme.editor.get(f"{BASE}/{other.id}").status_code == 404
    assert acme.editor.get(f"{BASE}/x-y").status_code == 404


def test_viewers_see_requests_and_change_nothing(acme: RefusedWorld) -> None:
    [number] = acme.refuse(refusal())
    viewer = acme.member("vi@acme.com", "viewer")
    for path in ("", f"/{number}"):
        page = viewer.get(BASE + path)
        assert page.status_code == 200
        assert "Send" not in text_of(page).replace("Sent", "")


def test_without_redis_pages_say_so(serve_dashboard: ServeDashboard) -> None:
    world = EditorWorld(serve_dashboard(queue_url=NO_REDIS), RULES)
    assert "Redis does not respond" in text_of(world.editor.get(BASE))
    assert world.editor.get(f"{BASE}/1-1").status_code == 503
    response = world.editor.post(f"{BASE}/send")
    assert "Redis does not respond" in text_of(world.editor.get(response.location))


CORRECTED = '{"event_key": "login",\r\n "company": {"id": "c1", "name": "Acme"}}'


def test_the_body_of_a_request_is_corrected_and_sent_again(acme: RefusedWorld) -> None:
    [number] = acme.refuse(refusal(event_id="e-1"))
    page = acme.editor.get(f"{BASE}/{number}")
    assert "Correct and send again" in text_of(page)
    assert '"company": {\n    "id": "c1"\n  }\n}</textarea>' in unescape(page.text)
    response = acme.editor.post(f"{BASE}/{number}/correct", body=CORRECTED)
    assert response.status_code == 303
    text = text_of(acme.editor.get(response.location))
    assert "It was accepted as the event e-1, and is being stored." in text
    assert acme.audited_last() == (
        "ed@acme.com",
        "Refused request corrected and sent again",
        "e-1",
        {},
    )
    assert (acme.accepted(), acme.kept()) == (1, [])


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("\n{}", "Invalid data event_key : Required company : Required"),
        ('{"event_key":\n "login" "x"}', "expected ',' or '}': line 2 column 10"),
        ("", "empty document: line 1 column 1"),
        ('{"event_key": "x", "company": {"id": "c1", "name": "A"}}', "not found for key: x"),
        (f'["{"x" * 32_768}"]', "Request body too large An event is at most 32 KB"),
        (json.dumps({"event_key": HOSTILE}), "It was not accepted: Invalid data company : "),
    ],
    ids=["fields", "syntax", "empty", "key", "size", "hostile"],
)  # fmt: skip
def test_what_is_refused_again_is_shown_with_what_was_typed(
    acme: RefusedWorld, typed: str, reason: str
) -> None:
    [number] = acme.refuse(refusal())
    response = acme.editor.post(f"{BASE}/{number}/correct", body=typed)
    assert response.status_code == 422
    assert reason in unescape(text_of(response))
    [shown] = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", response.text, re.DOTALL)
    assert unescape(shown) == typed
    assert "<script>alert" not in response.text
    assert (acme.accepted(), [kept.id for kept in acme.kept()]) == (0, [number])
    assert acme.kept()[0].refusal.body == refusal().body


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 403, "error": "API key lacks the scope: send"},
        {"body": b"x" * 40_000},
        {"body": b""},
        {"form": "batch"},
    ],
)
def test_a_body_that_is_not_at_fault_or_not_kept_cannot_be_corrected(
    acme: RefusedWorld, changes: dict[str, Any]
) -> None:
    [number] = acme.refuse(refusal(**changes))
    text = acme.read(f"/{number}")
    assert ("Correct and send again" in text, "Once the cause is mended" in text) == (False, True)
    response = acme.editor.post(f"{BASE}/{number}/correct", body=CORRECTED)
    assert (response.status_code, acme.accepted()) == (404, 0)


def test_an_event_that_the_rules_do_not_have_is_added_on_the_page_of_its_request(
    acme: RefusedWorld,
) -> None:
    [number] = acme.refuse(refusal(status=404, event_key="report_shared"))
    page = acme.editor.get(f"{BASE}/{number}").text
    [form] = re.findall(r'<form[^>]*action="/o/acme/events/add".*?</form>', page, re.DOTALL)
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    added = acme.editor.post("/o/acme/events/add", **fields)
    assert added.location == f"{BASE}/{number}"
    again = acme.editor.get(added.location)
    assert "report_shared is now accepted" in text_of(again)
    assert "/o/acme/events/add" not in again.text


def test_the_text_to_correct_is_what_was_sent(acme: RefusedWorld) -> None:
    """Characters that are escaped when they are shown are escaped as JSON does it."""
    large = b'{"a":[%b]}' % b",".join([b"1"] * 14_000)
    bodies = ('{"a":"\u0092\u202e\x7f\\u0000"}'.encode(), large, b'{"a": 1e999}')
    acme.refuse(*(refusal(body=body) for body in bodies))
    for kept, body in zip(acme.kept()[::-1], bodies, strict=True):
        page = acme.editor.get(f"{BASE}/{kept.id}")
        [shown] = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)
        assert json.loads(unescape(shown)) == json.loads(body)
        assert len(unescape(shown)) <= 32_768


def test_while_redis_is_full_the_correction_is_not_lost(acme: RefusedWorld) -> None:
    [number] = acme.refuse(refusal())
    with memory_used(acme.client, 0.9):
        response = acme.editor.post(f"{BASE}/{number}/correct", body=CORRECTED)
    assert response.status_code == 503
    assert "The event queue is full" in text_of(response)
    assert CORRECTED.replace("\r\n", "\n") in unescape(response.text)
    assert (acme.accepted(), len(acme.kept())) == (0, 1)
