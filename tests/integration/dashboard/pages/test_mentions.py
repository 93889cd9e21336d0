"""Mentions in notes: who is mentioned, who has read it, and what changes with notes and members."""

import re
from datetime import timedelta
from typing import Any

import pytest

from models.database import execute, transaction
from models.organizations import audit_log
from models.people import memberships
from models.people.mentions import MOST_UNREAD
from models.people.people import Person
from services.notes.writing import MOST_MENTIONED
from tests.support.dashboard.application import NOW, Browser, Dashboard, text_of
from tests.support.dashboard.company_page import add_history, address_of, create_world
from tests.support.world import World

MENTIONS = "/o/acme/mentions"


@pytest.fixture
def world(dashboard: Dashboard) -> World:
    del dashboard  # the database
    world = create_world()
    add_history(world)
    return world


@pytest.fixture
def people(dashboard: Dashboard, world: World) -> dict[str, Person]:
    """Colleagues of the author, and somebody of another organization."""
    elsewhere = dashboard.organization("elsewhere")
    roles = {"ann": "viewer", "bob": "editor", "cy": "administrator"}
    members = {
        name: dashboard.person(f"{name}@acme.com", [(world.organization, role)])
        for name, role in roles.items()
    }
    return members | {"zed": dashboard.person("zed@acme.com", [(elsewhere, "administrator")])}


@pytest.fixture
def author(dashboard: Dashboard, world: World, people: dict[str, Person]) -> Browser:
    del people  # who are members first
    return dashboard.signed_in("author@acme.com", (world.organization, "editor"))


def reader(dashboard: Dashboard, name: str) -> Browser:
    browser = dashboard.browser()
    assert browser.sign_in(f"{name}@acme.com").status_code == 303
    return browser


def add(browser: Browser, world: World, text: str, **form: str) -> int:
    """Add a note with a form of its own, and return its id."""
    form_id = re.search(
        r'name="form_id" type="hidden" value="([^"]+)"',
        browser.get(address_of(world, "/notes")).text,
    )
    assert form_id
    given = {"form_id": form_id[1], **form}
    assert browser.post(address_of(world, "/notes"), text=text, **given).status_code == 303
    [row] = world.rows("select max(id) as id from company_notes where organization_id = %(id)s")
    return int(row["id"])


def stored(world: World) -> list[tuple[str, bool]]:
    """Return whom notes mention, and whether it is unread."""
    return [
        (row["email"], row["unread"])
        for row in world.rows(
            "select p.email, m.read_at is null as unread from note_mentions m"
            " join people p on p.id = m.person_id where m.organization_id = %(id)s"
            " order by m.note_id, p.email"
        )
    ]


def unread(browser: Browser) -> str:
    """Return the count in the header of a page."""
    match = re.search(
        r'class="count">([^<]+)<span class="hidden"> unread<', browser.get("/o/acme/").text
    )
    return match[1] if match else ""


def test_members_are_mentioned_by_name_or_email_and_read_it_on_a_page_of_their_own(
    dashboard: Dashboard, world: World, author: Browser
) -> None:
    note = add(
        author, world, "@ANN and @Bob@acme.com: <b>call</b> https://a.example, @zed@acme.com"
    )
    assert stored(world) == [("ann@acme.com", True), ("bob@acme.com", True)]
    [row] = world.rows("select text from company_notes")
    assert row["text"] == (
        "@ann@acme.com and @bob@acme.com: <b>call</b> https://a.example, @zed@acme.com"
    )
    [entry] = audited(world)
    assert (entry.action, entry.detail) == (
        "Note added", {"note": note, "mentioned": ["ann@acme.com", "bob@acme.com"]},
    )  # fmt: skip
    ann = reader(dashboard, "ann")
    assert unread(ann) == "1"
    page = ann.get(MENTIONS)
    assert unread(ann) == "1"  # a GET, which browsers may send ahead, marks nothing as read
    shown = " ".join(text_of(page).split())
    assert "Acme Corp unread Author just now Mark as read @Ann and @Bob : &lt;b&gt;call" in shown
    assert '<span class="mention own" title="ann@acme.com">@<bdi>Ann</bdi></span>' in page.text
    assert f'href="{address_of(world)}"' in page.text
    assert '<a href="https://a.example" rel=' in page.text
    assert "@zed@acme.com</p>" in page.text
    answer = ann.post(f"{MENTIONS}/{note}/read", after="")
    assert (answer.status_code, answer.location) == (303, f"{MENTIONS}#note-{note}")
    assert unread(ann) == ""
    assert stored(world) == [("ann@acme.com", False), ("bob@acme.com", True)]
    assert "Nothing is unread" in ann.get(f"{MENTIONS}?show=unread").text
    assert '<span class="mention" title="bob@acme.com">' in author.get(address_of(world)).text
    assert "No mentions yet" in author.get(MENTIONS).text


def test_a_form_that_is_sent_twice_mentions_once_and_who_mentions_themself_has_read_it(
    world: World, author: Browser
) -> None:
    page = author.get(address_of(world, "/notes"))
    [form_id] = re.findall(r'name="form_id" type="hidden" value="([^"]+)"', page.text)
    for _ in range(2):
        author.post(address_of(world, "/notes"), text="@cy, as @author says", form_id=form_id)
    assert stored(world) == [("author@acme.com", False), ("cy@acme.com", True)]
    assert unread(author) == ""
    assert [entry.action for entry in audited(world)] == ["Note added"]


def test_an_edit_adds_and_removes_mentions_and_leaves_what_is_read(
    dashboard: Dashboard, world: World, author: Browser
) -> None:
    note = add(author, world, "@ann @bob")
    address = address_of(world, f"/notes/{note}")
    ann, bob = reader(dashboard, "ann"), reader(dashboard, "bob")
    ann.get(MENTIONS)
    ann.post(f"{MENTIONS}/read", until=NOW.isoformat())
    dashboard.clock.advance(hours=1)
    assert author.post(address, text="@Ann and @cy").status_code == 303
    assert stored(world) == [("ann@acme.com", False), ("cy@acme.com", True)]
    assert (unread(ann), unread(bob), unread(reader(dashboard, "cy"))) == ("", "", "1")
    assert audited(world)[0].detail["mentioned"] == ["ann@acme.com", "cy@acme.com"]
    assert author.post(address, text="@Ann and @cy").status_code == 303  # the same once more
    assert [entry.action for entry in audited(world)] == ["Note edited", "Note added"]
    author.post(f"{address}/delete")
    assert stored(world) == []
    assert "No mentions yet" in ann.get(MENTIONS).text


def test_a_renamed_member_stays_mentioned_and_one_who_is_removed_does_not(
    dashboard: Dashboard, world: World, author: Browser, people: dict[str, Person]
) -> None:
    add(author, world, "@Ann, and @cy")
    ann = reader(dashboard, "ann")
    ann.get("/account")
    ann.post("/account/name", name="دانا الخطيب")
    assert "@<bdi>دانا الخطيب</bdi>" in author.get(address_of(world, "/notes")).text
    with transaction():
        memberships.remove(world.id, people["ann"].id)
    assert stored(world) == [("cy@acme.com", True)]
    assert "@ann@acme.com, and" in author.get(address_of(world, "/notes")).text
    with transaction():
        memberships.add(world.id, people["ann"].id, "viewer")
    assert "No mentions yet" in ann.get(MENTIONS).text


def test_a_note_with_too_many_mentions_or_an_ambiguous_name_is_refused(
    dashboard: Dashboard, world: World, author: Browser
) -> None:
    colleagues = [f"p{number}@acme.com" for number in range(MOST_MENTIONED + 1)]
    for email in [*colleagues, "ann@other.com"]:
        dashboard.person(email, [(world.organization, "viewer")], password=None)
    author.get(address_of(world))
    notes = address_of(world, "/notes")
    answer = author.post(notes, text=" ".join(f"@{email}" for email in colleagues))
    assert answer.status_code == 422
    assert "This note mentions 21 people. The most are 20." in text_of(answer)
    answer = author.post(notes, text="Ask @ann.")
    assert answer.status_code == 422
    assert "2 people have the name ann. Write one of @ann@acme.com, @ann@other.com." in text_of(
        answer
    )
    assert "Ask @ann.</textarea>" in answer.text
    answer = author.post(notes, text="@bob " + "x" * 9_995)
    assert "With the emails of those it mentions, this note has 10,009 characters." in text_of(
        answer
    )
    note = add(author, world, "@bob")
    answer = author.post(f"{notes}/{note}", text="@ann")
    assert answer.status_code == 422
    assert stored(world) == [("bob@acme.com", True)]
    assert [entry.action for entry in audited(world)] == ["Note added"]


def test_mentions_are_of_one_person_in_one_organization(
    dashboard: Dashboard, world: World, author: Browser
) -> None:
    note = add(author, world, "@ann")
    other = dashboard.signed_in(
        "both@acme.com",
        (world.organization, "editor"),
        (dashboard.find_organization("elsewhere"), "editor"),
    )
    other.get(MENTIONS)
    other.post(f"{MENTIONS}/{note}/read")
    other.post(f"{MENTIONS}/read", until=(NOW + timedelta(days=1)).isoformat())
    other.post(f"/o/elsewhere/mentions/{note}/read")
    assert stored(world) == [("ann@acme.com", True)]
    assert other.post(f"{MENTIONS}/read", until="then").status_code == 400
    assert other.post(f"{MENTIONS}/read", until="2026-01-01").status_code == 400
    assert "ann@acme.com" not in other.get("/o/elsewhere/mentions/people?q=").text
    assert "ann@acme.com" in other.get(f"{MENTIONS}/people?q=").text


def test_all_that_the_page_may_have_shown_is_marked_as_read_and_not_what_came_later(
    dashboard: Dashboard, world: World, author: Browser
) -> None:
    add(author, world, "First, @ann")
    page = reader(dashboard, "ann").get(MENTIONS)
    [until] = re.findall(r'name="until" value="([^"]+)"', page.text)
    dashboard.clock.advance(seconds=1)
    add(author, world, "Second, @ann")
    ann = reader(dashboard, "ann")
    assert ann.post(f"{MENTIONS}/read", until=until).location == MENTIONS
    assert unread(ann) == "1"
    shown = text_of(ann.get(f"{MENTIONS}?show=unread"))
    assert "Second" in shown
    assert "First" not in shown


def test_mentions_are_paged_and_the_count_of_unread_ones_is_bounded(
    dashboard: Dashboard, world: World, author: Browser
) -> None:
    add(author, world, "@ann: note 1")
    with transaction():
        world_rows = (
            "insert into company_notes (organization_id, company_id, person_id, at, text)"
            " select organization_id, company_id, person_id, at + n * interval '1 second',"
            " '@ann@acme.com: note ' || n from company_notes, generate_series(2, 150) n"
        )
        execute(world_rows)
        execute(
            "insert into note_mentions (organization_id, note_id, person_id, at)"
            " select n.organization_id, n.id, m.person_id, n.at from company_notes n,"
            " note_mentions m on conflict do nothing"
        )
    ann = reader(dashboard, "ann")
    assert unread(ann) == f"{MOST_UNREAD - 1}+"
    seen: list[str] = []
    address: str | None = f"{MENTIONS}?show=unread"
    while address:
        page = ann.get(address)
        seen += re.findall(r"note (\d+)</p>", page.text)
        match = re.search(r'href="([^"]+)" rel="next"', page.text)
        address = match[1].replace("&amp;", "&") if match else None
    assert seen == [str(number) for number in range(150, 0, -1)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["ann", "author", "bob", "cy"]),
        ("n", ["ann"]),
        ("acme", []),
        ("UTH", ["author"]),
        ("B", ["bob"]),
        ("BOB@ACME", ["bob"]),
        ("100%", []),
    ],
)
def test_members_are_offered_by_a_part_of_name_or_email(
    world: World, author: Browser, text: str, found: list[str]
) -> None:
    answer = author.client.get(f"{MENTIONS}/people", query_string={"q": text})
    assert re.findall(r'data-email="(\w+)@acme.com"', answer.text) == found
    assert world.name == "acme"


def audited(world: World) -> list[Any]:
    with transaction():
        entries = audit_log.read_page(world.id, limit=20)
    return [entry for entry in entries if entry.action != "Signed in"]
