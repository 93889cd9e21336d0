"""Rules that start from an example, matched with the events that are really sent."""

import re
from html import unescape

import pytest
from werkzeug.test import TestResponse

from dashboard.web.context import EXTENSION
from models.database import transaction
from models.events import hourly_counts
from rules.file.rule_file import read_rules
from services.rules.rule_examples import list_examples
from tests.support.dashboard.application import NOW, Dashboard, ServeDashboard, text_of
from tests.support.dashboard.editor import EditorWorld
from tests.support.ingress.refusals import note_unknown_keys

RULES = """\
version: 1
events:
  log_in: {name: Came back, called: [Came Back]}
  zoom: {name: Zoomed in}
  off: {enabled: false}
flags:
  - {flag: Quiet, event: log_in, when: {At Risk: no activity for 7 days}}
"""


class Choosing(EditorWorld):
    """An organization with stored events, names that were refused, and its editor."""

    def send(self) -> None:
        for key in ("log_in", "zoom", "off"):
            self.track("acme", -60, key=key, plan="Pro", seats=5)
        client = self.dashboard.app.extensions[EXTENSION].broker.client
        refused = {"Report Created": 3, "session_ended": 2, "Page Viewed": 1, "Came Back": 1}
        note_unknown_keys(client, self.id, refused, NOW)

    def read(self, path: str = "") -> str:
        answer = self.editor.get(f"/o/acme/rules/examples{path}")
        assert answer.status_code == 200
        return unescape(text_of(answer))

    def choose(self, name: str, **choices: str) -> TestResponse:
        """Submit the form of an example with one choice for each event."""
        self.editor.get(f"/o/acme/rules/examples/{name}")
        form = {key if key == "others" else f"event.{key}": v for key, v in choices.items()}
        return self.editor.post(f"/o/acme/rules/examples/{name}", **form)


@pytest.fixture
def acme(dashboard: Dashboard) -> Choosing:
    return Choosing(dashboard, RULES)


def draft_of(page: TestResponse) -> str:
    """The text in the editor of a page."""
    area = page.text.split('<textarea id="text"')[1].split("</textarea>")[0]
    return unescape(area.split(">\n", 1)[1])


def selected(page: str) -> dict[str, str]:
    """The choices that a page preselects, by event."""
    chosen = {}
    selects = re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL)
    for name, options in selects:
        found = re.search(r'value="([^"]*)" selected', options)
        chosen[name.removeprefix("event.")] = found[1] if found else ""
    return chosen


def test_before_anything_is_sent_examples_keep_their_own_keys(acme: Choosing) -> None:
    text = acme.read()
    for example in list_examples():
        assert example.title in text
        assert example.purpose.replace("`", " ")[:30] in text
    assert "Nothing has been sent yet, but you can choose already" in text
    page = acme.editor.get("/o/acme/rules/examples/usage-drop").text
    assert set(selected(page).values()) == {"own"}
    plan = acme.choose("usage-drop")
    assert draft_of(plan).startswith("# Usage: a customer who still pays")
    assert [*read_rules(draft_of(plan)).events] == [
        "login", "report_created", "session_ended", "export_failed",
    ]  # fmt: skip


def test_examples_say_which_events_and_fields_are_sent(acme: Choosing) -> None:
    acme.send()
    text = acme.read()
    assert "has begun to leave. 3 of 4 events sent" in text
    assert "It uses fields of companies that you send: plan , seats ." in text
    page = acme.editor.get("/o/acme/rules/examples/usage-drop").text
    assert selected(page) == {
        "login": "sent.log_in",
        "report_created": "sent.Report Created",
        "session_ended": "sent.session_ended",
        "export_failed": "",
    }
    text = acme.read("/usage-drop")
    assert "Also accept the other events that you send: Page Viewed, zoom" in text
    assert "plan sent" in text
    assert "Counted by Usage drop, Gone quiet, Few reports" in text
    assert "replaces the 1 flag that is active now: Quiet" in text


def test_an_adapted_example_is_planned_and_applied_like_any_other_draft(acme: Choosing) -> None:
    acme.send()
    plan = acme.choose(
        "usage-drop",
        login="sent.log_in",
        report_created="sent.Report Created",
        session_ended="",
        export_failed="",
        others="on",
    )
    text = unescape(text_of(plan))
    assert "This is the example “Usage” with your events. Left out" in text
    assert "Short sessions, Little time spent, On the way out" in text
    assert "What would change" in text
    assert "Events that would be rejected" not in text
    draft = draft_of(plan)
    events = read_rules(draft).events
    assert {event.key: (event.name, event.called) for event in events.values()} == {
        "log_in": ("Signed in", ("Came Back",)),
        "report_created": ("Report created", ("Report Created",)),
        "page_viewed": ("Page Viewed", ("Page Viewed",)),
        "session_ended": ("session_ended", ()),
        "zoom": ("Zoomed in", ()),
    }
    assert len(acme.sources()) == 1
    form = {"text": draft.replace("\n", "\r\n"), "began_from": "1"}
    assert acme.editor.post("/o/acme/rules/apply", **form).status_code == 303
    assert acme.sources()[1:] == [draft]


def test_an_event_that_is_sent_by_names_spelled_alike_is_offered_once(acme: Choosing) -> None:
    acme.apply_rules("version: 1\nevents: {report_created: {name: New report}, y: }\n")
    acme.track("acme", -60, key="report_created")
    client = acme.dashboard.app.extensions[EXTENSION].broker.client
    refused = {"Report Created": 3, "reportCreated": 2, "Signed In": 1, "signed-in": 1}
    note_unknown_keys(client, acme.id, refused, NOW)
    page = acme.editor.get("/o/acme/rules/examples/usage-drop")
    options = re.findall(r'value="sent.([^"]+)"', page.text.partition("</select>")[0])
    assert options == ["report_created", "signed-in"]
    assert "report_created (also sent as Report Created, reportCreated)" in text_of(page)
    chosen = selected(page.text)
    assert chosen["login"] == "sent.signed-in"
    draft = draft_of(acme.choose("usage-drop", **chosen, others="on"))
    events = read_rules(draft).events
    assert {key: event.called for key, event in events.items()} == {
        "signed-in": ("Signed In",),
        "report_created": ("Report Created", "reportCreated"),
    }


def test_without_the_others_only_the_chosen_events_are_accepted(acme: Choosing) -> None:
    acme.send()
    plan = acme.choose("usage-drop", login="sent.log_in", report_created="own")
    assert [*read_rules(draft_of(plan)).events] == [
        "log_in", "report_created", "session_ended", "export_failed",
    ]  # fmt: skip
    assert '<p class="message error">Events that are sent and would be' in plan.text
    assert "would be rejected with an error: zoom." in text_of(plan)


def test_events_that_are_not_sent_are_no_error(acme: Choosing) -> None:
    acme.track("acme", -40 * 86400, key="zoom")
    plan = acme.choose("usage-drop", login="own", report_created="own")
    assert "message error" not in plan.text
    assert "No longer accepted, and not sent in the last 30 days: log_in, zoom." in text_of(plan)


def test_events_of_the_past_are_suggested_too(acme: Choosing) -> None:
    acme.apply_rules("version: 1\nevents: {x: }\n")
    acme.track("acme", -60 * 86400, key="Sign In")
    with transaction():
        hourly_counts.merge_arrivals(acme.id, NOW)
    page = acme.editor.get("/o/acme/rules/examples/renewal-risk").text
    assert selected(page)["login"] == "sent.Sign In"
    plan = acme.choose("renewal-risk", login="sent.Sign In")
    assert read_rules(draft_of(plan)).events["Sign In"].called == ()  # stored by that key


def test_viewers_see_examples_and_cannot_choose(acme: Choosing) -> None:
    viewer = acme.member("vi@acme.com", "viewer")
    page = viewer.get("/o/acme/rules/examples/usage-drop")
    assert "Only editors and administrators can change the rules" in text_of(page)
    assert page.text.count(" disabled") == 4
    assert viewer.post("/o/acme/rules/examples/usage-drop").status_code == 403


def test_unknown_examples_and_unusable_keys_are_refused(acme: Choosing) -> None:
    assert acme.editor.get("/o/acme/rules/examples/nonsense").status_code == 404
    assert acme.editor.get("/o/acme/rules/examples/..%252Fhealth").status_code == 404
    answer = acme.choose("usage-drop", login=f"sent.{'x' * 300}")
    assert (answer.status_code, answer.location) == (303, "/o/acme/rules/examples/usage-drop")
    assert "That is not possible" in acme.read("/usage-drop")


def test_hostile_names_are_escaped(acme: Choosing) -> None:
    client = acme.dashboard.app.extensions[EXTENSION].broker.client
    note_unknown_keys(client, acme.id, {'<b>"login"</b>': 1}, NOW)
    page = acme.editor.get("/o/acme/rules/examples/usage-drop")
    assert "<b>" not in page.text
    plan = acme.choose("usage-drop", login='sent.<b>"login"</b>')
    assert read_rules(draft_of(plan)).events["login"].called == ('<b>"login"</b>',)


def test_while_redis_does_not_respond_stored_events_are_suggested(
    serve_dashboard: ServeDashboard,
) -> None:
    acme = Choosing(serve_dashboard(queue_url="redis://127.0.0.1:1/0"), RULES)
    acme.track("acme", -60, key="log_in")
    page = acme.editor.get("/o/acme/rules/examples/usage-drop").text
    assert selected(page)["login"] == "sent.log_in"
