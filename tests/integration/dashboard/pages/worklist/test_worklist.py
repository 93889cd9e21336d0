"""The worklist in the dashboard: whose items, changes of one and of many, and their undoing."""

import csv
import html
import io
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from dashboard.pages.worklist import bulk, page
from models.database import query, transaction
from models.health import flag_overrides
from models.organizations import audit_log
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from models.people import people, saved_views
from models.people.saved_views import ViewedList
from services.accounts import people as accounts
from services.accounts.audit import Maker
from services.health.overrides import JudgingContext
from services.work_items import snoozes
from services.work_items.edits import Editor
from tests.support.dashboard.application import NOW, Dashboard, without_isolation
from tests.support.dashboard.worklist import RULES, Sick, track_sick

SICK: Sick = {
    "old": (30, "ann@acme.com", 100),
    "dear": (10, "ann@acme.com", 9000),
    "cheap": (9, "ann@acme.com", 10),
    "other": (8, "Ben", 500),
    "orphan": (7, None, 700),
}


class Acme:
    """An organization with five companies whose flag is raised, and the browsers of two members."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.organization = dashboard.organization("acme")
        self.world = track_sick(self.organization, SICK)
        self.world.track("well", -timedelta(days=1))
        self.world.judge()
        self.ann = dashboard.signed_in("ann@acme.com", (self.organization, "editor"))
        self.ben = dashboard.signed_in("ben@acme.com", (self.organization, "viewer"))

    def page(self, parameters: str = "?whose=team", **options: Any) -> TestResponse:
        return self.ann.get(f"/o/acme/worklist{parameters}", **options)

    def listed(self, parameters: str = "?whose=team") -> list[str]:
        response = self.page(parameters)
        assert response.status_code == 200
        rows = re.findall(
            r'<th scope="row"><a href="[^"]*">(.*?)</a>', without_isolation(response.text)
        )
        return [html.unescape(name).lower() for name in rows]

    def items(self) -> dict[str, dict[str, Any]]:
        with transaction():
            rows = query(
                "select c.external_id as company, i.* from work_items i join companies c"
                " on c.organization_id = i.organization_id and c.id = i.company_id"
                " where i.organization_id = %(id)s",
                {"id": self.organization.id},
            )
        return {row["company"]: row for row in rows}

    def select(self, *companies: str, **form: Any) -> TestResponse:
        items = self.items()
        ids = [items[company]["id"] for company in companies]
        self.page()
        response = self.ann.post("/o/acme/worklist/selected", item=ids, query="whose=team", **form)
        assert response.status_code == 303
        return self.page()

    def person(self, email: str) -> int:
        with transaction():
            [row] = query("select id from people where email = %(email)s", {"email": email})
        return int(row["id"])


@pytest.fixture
def acme(dashboard: Dashboard) -> Acme:
    return Acme(dashboard)


def test_the_worst_and_most_valuable_come_first_and_mine_are_those_that_i_own(acme: Acme) -> None:
    assert acme.listed() == ["old", "dear", "orphan", "other", "cheap"]
    assert acme.listed("") == ["old", "dear", "cheap"]
    assert acme.listed("?whose=unassigned") == ["orphan", "other"]
    assert acme.listed("?whose=team&status=Critical") == ["old"]
    assert acme.listed("?whose=team&owner=BEN") == ["other"]
    assert acme.listed("?whose=team&flag=None") == []
    counts = re.findall(r'<span class="count">(\d+)</span>', acme.page().text)
    assert counts == ["3", "5", "2"]
    assert 'To do <span class="count">3</span>' in acme.ann.get("/o/acme/").text


def test_an_order_is_that_of_the_list_its_pages_its_export_and_actions_on_all(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_value = ["cheap", "old", "other", "orphan", "dear"]
    assert acme.listed("?whose=team&sort=value") == by_value
    assert acme.listed("?whose=team&sort=-raised") == ["orphan", "other", "cheap", "dear", "old"]
    monkeypatch.setattr(page, "page_size", lambda: 2)
    first = acme.page("?whose=team&sort=value").text
    titles = re.findall(r'aria-sort="(\w+)"[^>]*>\s*<a class="sort" id="sort-(\w+)"', first)
    assert [name for direction, name in titles if direction == "ascending"] == ["value"]
    assert 'href="/o/acme/worklist?whose=team&amp;sort=-value"' in first  # reverses it
    assert "back=/o/acme/worklist?whose%3Dteam%26sort%3Dvalue" in first  # from an item
    [following] = re.findall(r'rel="next" href="/o/acme/worklist([^"]*)"', first)
    assert acme.listed(html.unescape(following)) == by_value[2:4]
    text = acme.page(".csv?whose=team&sort=value").text.removeprefix("\ufeff")
    assert [row["company_id"] for row in csv.DictReader(io.StringIO(text))] == by_value
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 2)
    form = {"query": "whose=team&sort=value", "all": "yes", "action": "done"}
    response = acme.ann.post("/o/acme/worklist/selected", **form)
    assert response.location.endswith("?whose=team&sort=value")
    assert acme.listed("?whose=team&state=done") == ["old", "cheap"]


def test_the_usual_order_replaces_one_by_a_field_that_the_rules_do_not_name(acme: Acme) -> None:
    assert acme.listed("?whose=team&sort=renewal") == acme.listed()
    text = acme.page("?whose=team&sort=renewal").text
    assert "The rules name no field for the renewal of a company" in text


def test_one_change_changes_what_was_changed_and_nothing_else(acme: Acme) -> None:
    item = acme.items()["dear"]["id"]
    acme.page()
    was = {"was_state": "open", "was_assignee": "", "was_next_step": "Call them.", "was_due": ""}
    shown = {"state": "open", "assignee": "", "next_step": "Call them.", "due": ""}
    address = f"/o/acme/worklist/items/{item}"
    acme.ann.post(address, **was, **{**shown, "state": "working"})
    acme.ann.post(address, **was, **{**shown, "due": "2026-02-01"})
    acme.ann.post(address, **was, **{**shown, "assignee": str(acme.person("ben@acme.com"))})
    response = acme.ann.client.post(
        address,
        data={**was, **shown, "next_step": "Write <them>", "csrf_token": acme.ann.token},
        headers={"HX-Request": "true"},
    )
    assert "Write &lt;them&gt;" in response.text
    changed = acme.items()["dear"]
    assert (changed["state"], str(changed["due_on"]), changed["next_step"]) == (
        "working", "2026-02-01", "Write <them>",
    )  # fmt: skip
    assert changed["assignee_id"] == acme.person("ben@acme.com")
    assert changed["touched_at"] == NOW
    assert acme.listed("?whose=team&due=week") == []
    assert acme.listed("?whose=team&state=working") == ["dear"]
    assert acme.listed("") == ["old", "cheap"]
    with transaction():
        entries = audit_log.read_page(acme.organization.id, limit=4)
    assert {entry.action for entry in entries} == {"Work items changed"}
    history = acme.ann.get(address).text
    assert "set it to in work" in history
    assert "ben@acme.com" in history


def test_what_is_not_possible_is_refused(acme: Acme) -> None:
    item = acme.items()["dear"]["id"]
    acme.page()
    for name, value in (
        ("due", "soon"),
        ("assignee", "999"),
        ("state", "x"),
        ("next_step", "x" * 501),
    ):
        acme.ann.post(f"/o/acme/worklist/items/{item}", **{name: value})
        assert 'class="message error"' in acme.page().text
    assert acme.items()["dear"]["touched_at"] is None
    acme.ben.get("/account")
    assert acme.ben.post(f"/o/acme/worklist/items/{item}", state="done").status_code == 403
    for action in ("selected", "companies"):
        form = {"query": "status=%00&field.plan=%00", "all": "yes", "action": "seen"}
        assert acme.ann.post(f"/o/acme/worklist/{action}", **form).status_code == 400


def test_a_snooze_of_many_says_what_it_left_out_and_can_be_undone(acme: Acme) -> None:
    page = acme.select("old", "dear", action="snooze", text="on holiday", days="7")
    assert "2 items snoozed for 7 days." in page.text
    assert acme.listed() == ["orphan", "other", "cheap"]
    assert acme.listed("?whose=team&state=snoozed") == ["old", "dear"]
    assert acme.world.status("old") == "Healthy"
    page = acme.select("dear", "cheap", action="snooze", text="on holiday", days="7")
    assert "1 item snoozed for 7 days; 1 left out: that way already." in html.unescape(page.text)
    [undo] = re.findall(r'action="([^"]*/undo/[^"]*)"', page.text)
    acme.ann.post(undo, back="/o/acme/worklist?whose=team")
    assert "1 item undone." in acme.page().text
    assert acme.listed() == ["orphan", "other", "cheap"]
    assert acme.items()["cheap"]["touched_at"] is None
    assert acme.items()["dear"]["touched_at"]
    assert acme.select("dear", action="snooze", text="", days="7").text.count("State a reason") == 1


def test_a_snooze_is_seen_at_once_while_events_of_the_company_wait(acme: Acme) -> None:
    context = JudgingContext(acme.world.rulebooks, NOW, lambda *_: NOW - timedelta(hours=1))
    by = Editor(Maker("Ann", acme.person("ann@acme.com")), NOW)
    item, until = acme.items()["old"], NOW + timedelta(days=1)
    with transaction():
        snoozes.snooze(acme.organization.id, [item["id"]], until, "on holiday", by, context)
    assert acme.listed("?whose=team&state=snoozed") == ["old"]
    with transaction():
        [stored] = flag_overrides.list_open(acme.organization.id, [item["company_id"]]).popitem()[1]
        snoozes.end_snoozes(acme.organization.id, {item["id"]: stored.id}, by, context)
    assert "old" in acme.listed()


def test_items_of_companies_that_left_are_not_to_do(acme: Acme) -> None:
    dear = acme.items()["dear"]["company_id"]
    outcome = NewOutcome(dear, OutcomeKind.LEFT, NOW.date())
    with transaction():
        [(outcome_id, _)] = outcomes.enter(acme.organization.id, [outcome], "ann", NOW)
    assert acme.listed() == ["old", "orphan", "other", "cheap"]
    assert "dear" in acme.listed("?whose=team&state=all")
    acme.world.apply_rules(RULES.replace("Logs in", "Signs in"), 1)
    acme.world.judge(at=2)
    assert "dear" not in acme.listed()
    with transaction():
        left = outcomes.find(acme.organization.id, outcome_id)
        assert left is not None
        outcomes.remove(acme.organization.id, left)
    assert acme.listed() == ["old", "dear", "orphan", "other", "cheap"]


def test_all_that_match_can_be_assigned_and_what_changed_since_is_not_undone(acme: Acme) -> None:
    ben = acme.person("ben@acme.com")
    page = acme.select(all="yes", action="assign", assignee=str(ben))
    assert "5 items assigned to ben@acme.com." in page.text
    [undo] = re.findall(r'action="([^"]*/undo/[^"]*)"', page.text)
    acme.select("old", action="assign", assignee=str(acme.person("ann@acme.com")))
    acme.ann.post(undo)
    assert "4 items undone; 1 left out: undone or changed since." in acme.page().text
    items = acme.items()
    assert [company for company, item in items.items() if item["assignee_id"]] == ["old"]
    assert [company for company, item in items.items() if item["touched_at"]] == ["old"]


def test_closed_items_are_left_out_of_actions(acme: Acme) -> None:
    acme.page()
    old = acme.items()["old"]
    acme.world.track("old", 0)
    acme.world.judge("old", 1)
    page = acme.select("old", "dear", action="done")
    assert "1 item marked done; 1 left out: closed in the meantime." in page.text
    assert acme.items()["old"]["state"] == old["state"]
    assert acme.listed("?whose=team&state=done") == ["dear"]


def test_actions_on_companies_are_on_the_items_of_their_raised_flags(acme: Acme) -> None:
    acme.ann.get("/o/acme/companies")
    acme.ann.post(
        "/o/acme/worklist/companies", company=["old", "well"], action="note", text="Wait."
    )
    acme.ann.post("/o/acme/worklist/companies", all="yes", query="owner=ben", action="done")
    assert acme.listed("?whose=team&state=done") == ["other"]
    assert "Wait." in acme.ann.get("/o/acme/companies/old/notes").text


def test_a_note_about_many_companies_is_added_once_and_mentions_colleagues(acme: Acme) -> None:
    form = {"action": "note", "text": "@ben@acme.com, call them.", "form_id": str(uuid4())}
    assert "2 items noted." in acme.select("old", "dear", **form).text
    again = acme.select("old", "dear", **form)
    assert "0 items noted; 2 left out: that way already." in again.text
    mentions = acme.ben.get("/o/acme/mentions").text
    assert mentions.count("call them.") == 2


def test_the_export_has_what_the_list_has(acme: Acme) -> None:
    text = acme.page(".csv?whose=team").text.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["company_id"] for row in rows] == ["old", "dear", "orphan", "other", "cheap"]
    assert (rows[0]["assignee"], rows[0]["next_step"], rows[1]["value"]) == (
        "ann@acme.com", "Call them.", "9000.00",
    )  # fmt: skip


def test_response_times_are_medians_of_the_items_that_were_touched(acme: Acme) -> None:
    with transaction():
        for company, hours in (("old", 1), ("dear", 3)):
            query(
                "update work_items set touched_at = opened_at + %(after)s"
                " where organization_id = %(id)s and id = %(item)s returning id",
                {
                    "id": acme.organization.id,
                    "item": acme.items()[company]["id"],
                    "after": timedelta(hours=hours),
                },
            )
    times = acme.page("/response-times").text
    page = re.sub(r"<[^>]+>|\s+", " ", times)
    words = " ".join(page.split())
    assert "Ann 3 2 1 2 hours" in words
    assert "ben not a member 1 0 1 –" in words
    assert "Nobody 1 0 1 –" in words
    for address, number in re.findall(
        r'href="(/o/acme/worklist/response-times/items[^"]*)">(\d+)<', times
    ):
        items = acme.ann.get(html.unescape(address)).text
        assert items.count('<th scope="row">') == int(number), address


def test_items_of_somebody_who_leaves_are_left_to_the_owners(acme: Acme) -> None:

    acme.select("old", action="assign", assignee=str(acme.person("ben@acme.com")))
    with transaction():
        ben = people.find("ben@acme.com")
        assert ben is not None
        accounts.remove(acme.organization, ben, maker=Maker("test"), at=NOW)
    assert acme.listed("") == ["old", "dear", "cheap"]


def test_a_list_is_kept_as_a_view_which_companies_do_not_have(acme: Acme) -> None:
    form = {"list": "worklist", "name": "Ours", "shared": "yes"}
    acme.page()
    saved = acme.ann.post("/o/acme/views", query="whose=team&sort=-value&after=x", **form)
    address = "/o/acme/worklist?whose=team&sort=-value"
    assert saved.location == address
    view = f'<a href="{address.replace("&", "&amp;")}" aria-current="true">'
    assert "Ours" in acme.page("?whose=team&sort=-value").text.split(view)[1].split("</a>")[0]
    assert "Ours" in acme.ben.get("/o/acme/worklist").text
    assert "Ours" not in acme.ann.get("/o/acme/companies").text
    again = {"name": "ours", "shared": "yes", "query": "status=Critical"}
    assert acme.ann.post("/o/acme/views", **again).location == "/o/acme/companies?status=Critical"
    assert "ours" in acme.ann.get("/o/acme/companies").text
    acme.ann.post("/o/acme/views", query="whose=mine", **form)
    assert "Filter or sort first" in acme.page().text
    with transaction():
        views = saved_views.list_visible_to(
            acme.organization.id, acme.person("ann@acme.com"), ViewedList.WORKLIST
        )
    [view_id] = [view.id for view in views]
    acme.ann.post(f"/o/acme/views/{view_id}/rename", name="Everybody's")
    assert "Everybody&#39;s" in acme.page().text
    deleted = acme.ann.post(f"/o/acme/views/{view_id}/delete")
    assert deleted.location == "/o/acme/worklist"
    assert acme.ann.post("/o/acme/views", **{**form, "list": "x"}).status_code == 400
