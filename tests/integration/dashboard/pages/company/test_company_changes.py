"""What people do about a company on its pages: snooze and override flags, and write notes."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from cryptography.fernet import Fernet

from config.settings import Settings
from models.database import execute, query, transaction
from models.health import flag_overrides, transitions
from models.health.flag_overrides import StoredOverride
from models.organizations import audit_log
from models.organizations.audit_log import AuditEntry
from models.webhooks import webhook_endpoints
from queues import messages
from tests.support.dashboard.application import NOW, Browser, Dashboard, ServeDashboard, text_of
from tests.support.dashboard.company_page import add_history, address_of, ago, create_world, track
from tests.support.dashboard.elements import fetched_by
from tests.support.world import World

GROUNDS = {"reason": "on holiday", "owner": "ann@acme.com"}


@pytest.fixture
def world(dashboard: Dashboard) -> World:
    world = create_world()
    add_history(world)
    return world


def signed_in(dashboard: Dashboard, world: World, role: str) -> Browser:
    return dashboard.signed_in(f"{role}@acme.com", (world.organization, role))


def overrides(world: World) -> list[StoredOverride]:
    with transaction():
        listed = flag_overrides.list_for_organization(world.id, ended=True)
    return [row.override for row in listed]


def audited(world: World) -> list[AuditEntry]:
    with transaction():
        entries = audit_log.read_page(world.id, limit=20)
    return [entry for entry in entries if entry.action != "Signed in"]


def override(browser: Browser, world: World, flag: str = "Logs%20in", **form: Any) -> Any:
    chosen = {"counts": "snooze", "ends": "7", "day": "", **GROUNDS, **form}
    return browser.post(address_of(world, f"/flags/{flag}"), **chosen)


# Flags


def test_an_editor_snoozes_a_flag_and_ends_the_snooze(dashboard: Dashboard, world: World) -> None:
    browser = signed_in(dashboard, world, "editor")
    form = browser.get(address_of(world, "/flags/Logs%20in"))
    assert 'value="editor@acme.com"' in form.text
    answer = override(browser, world)
    assert (answer.status_code, answer.location) == (303, address_of(world))
    page = browser.get(answer.location)
    text = text_of(page)
    assert "Logs in is snoozed until 27 Jan 2026, 10:30:05 UTC. Acme Corp is Healthy." in text
    assert re.search(r"Logs in At Risk snoozed", text)
    assert "Snoozed until 27 Jan 2026, 10:30 : “on holiday” ann@acme.com" in text
    [stored] = overrides(world)
    assert (stored.status, stored.ends_at) == (None, NOW + timedelta(days=7))
    assert (stored.made_by, stored.owner) == ("editor@acme.com", "ann@acme.com")
    assert world.company("c1").health_status == "Healthy"
    assert audited(world)[0].action == "Flag snoozed"
    assert audited(world)[0].subject == "Logs in of Acme Corp (c1)"

    dashboard.clock.advance(hours=1)
    answer = browser.post(address_of(world, "/flags/Logs%20in/end"))
    text = text_of(browser.get(answer.location))
    assert "Logs in is no longer snoozed or overridden. Acme Corp is At Risk." in text
    assert "Past snoozes and overrides (1)" in text
    assert "ended by editor@acme.com (ended by hand)" in text
    assert world.company("c1").health_status == "At Risk"
    assert audited(world)[0].action == "Flag counts again"
    with transaction():
        causes = [
            transition.cause
            for transition in transitions.list_for_company(world.id, world.company("c1").id)
        ]
    assert causes[-2:] == ["override", "override"]


def test_an_editor_overrides_a_flag_until_it_is_ended(dashboard: Dashboard, world: World) -> None:
    browser = signed_in(dashboard, world, "editor")
    answer = override(browser, world, "Reports", counts="=Critical", ends="hand")
    text = text_of(browser.get(answer.location))
    assert "Reports counts as Critical until ended manually. Acme Corp is Critical." in text
    [stored] = overrides(world)
    assert (stored.flag, stored.status, stored.ends_at) == ("Reports", "Critical", None)
    assert audited(world)[0].detail == {"counts as": "Critical", **GROUNDS}
    override(browser, world, "Reports", counts="=Healthy", ends="1")
    assert [override.status for override in overrides(world)] == ["Healthy", "Critical"]
    assert world.company("c1").health_status == "At Risk"


def test_an_override_can_end_on_a_date(dashboard: Dashboard, world: World) -> None:
    browser = signed_in(dashboard, world, "editor")
    assert override(browser, world, ends="day", day="2026-01-20").status_code == 303
    assert overrides(world)[0].ends_at == datetime(2026, 1, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"reason": " "}, "Enter a reason."),
        ({"reason": "two\nlines"}, "Use one line of plain text."),
        ({"reason": "x" * 1001}, "Use at most 1000 characters."),
        ({"owner": ""}, "Enter an owner."),
        ({"counts": "=Fine"}, "Not a valid choice."),
        ({"ends": "hand"}, "A snooze needs an end. Choose one."),
        ({"ends": "day"}, "Choose a date."),
        ({"ends": "day", "day": "tomorrow"}, "Not a valid date value."),
        ({"ends": "day", "day": "2026-01-19"}, "This date is in the past."),
        ({"ends": "day", "day": "9999-12-31"}, "Choose a date within the next ten years."),
        ({"ends": "5"}, "Not a valid choice."),
    ],
)
def test_errors_are_shown_at_their_field_and_nothing_changes(
    dashboard: Dashboard, world: World, wrong: dict[str, str], message: str
) -> None:
    browser = signed_in(dashboard, world, "editor")
    browser.get(address_of(world))
    answer = override(browser, world, **wrong)
    assert answer.status_code == 422
    assert message in text_of(answer)
    assert 'aria-invalid="true"' in answer.text
    assert not overrides(world)
    assert not audited(world)


def test_the_page_of_a_flag_is_below_the_tab_health(dashboard: Dashboard, world: World) -> None:
    page = signed_in(dashboard, world, "editor").get(address_of(world, "/flags/Reports")).text
    assert re.findall(r'aria-current="page"[^>]*>\s*([^<]+)</a>', page) == ["Companies", "Health"]


def test_a_flag_that_the_rules_do_not_have_is_not_found(dashboard: Dashboard, world: World) -> None:
    browser = signed_in(dashboard, world, "editor")
    assert browser.get(address_of(world, "/flags/Nothing")).status_code == 404
    assert override(browser, world, "Nothing").status_code == 404
    assert not audited(world)


def test_ending_an_override_that_does_not_exist_is_an_error(
    dashboard: Dashboard, world: World
) -> None:
    browser = signed_in(dashboard, world, "editor")
    answer = browser.post(address_of(world, "/flags/Reports/end"))
    assert "is not snoozed or overridden" in text_of(browser.get(answer.location))
    assert not audited(world)


def test_webhooks_about_an_override_are_enqueued_at_once(
    dashboard: Dashboard, world: World, settings: Settings
) -> None:
    with transaction():
        keys = [Fernet.generate_key().decode()]
        webhook_endpoints.add(world.id, "https://a.example", secret_keys=keys)
    override(signed_in(dashboard, world, "editor"), world)
    with transaction():
        assert len(query("select from deliveries")) == 1
    with redis.Redis.from_url(settings.redis_url) as client:
        assert client.llen(f"dramatiq:{messages.WEBHOOKS}") == 1


def test_without_redis_nothing_changes(
    serve_dashboard: ServeDashboard, world: World, settings: Settings
) -> None:
    without = serve_dashboard(queue_url="redis://127.0.0.1:1/0")
    answer = override(signed_in(without, world, "editor"), world)
    assert answer.status_code == 503
    assert "Redis does not respond. Nothing was changed." in text_of(answer)
    assert not overrides(world)


def test_an_expired_snooze_is_not_in_force_even_before_the_clock_records_its_end(
    dashboard: Dashboard, world: World
) -> None:
    browser = signed_in(dashboard, world, "editor")
    override(browser, world, ends="1")
    dashboard.clock.advance(days=1, seconds=1)
    browser.sign_in("editor@acme.com")
    text = text_of(browser.get(address_of(world)))
    assert "Snoozed until" not in text
    assert "Past snoozes and overrides (1)" in text


def test_viewers_see_overrides_and_cannot_change_them(dashboard: Dashboard, world: World) -> None:
    override(signed_in(dashboard, world, "editor"), world)
    viewer = signed_in(dashboard, world, "viewer")
    page = viewer.get(address_of(world))
    assert "Snoozed until" in text_of(page)
    assert "/flags/" not in page.text
    assert viewer.get(address_of(world, "/flags/Reports")).status_code == 403
    assert override(viewer, world, "Reports").status_code == 403
    assert viewer.post(address_of(world, "/flags/Logs%20in/end")).status_code == 403
    assert len(overrides(world)) == 1


def test_a_form_without_a_csrf_token_changes_nothing(dashboard: Dashboard, world: World) -> None:
    browser = signed_in(dashboard, world, "editor")
    for rest in ("/flags/Reports", "/flags/Reports/end", "/notes", "/notes/1", "/notes/1/delete"):
        answer = browser.client.post(address_of(world, rest), data={"text": "x", **GROUNDS})
        assert answer.status_code == 400
    assert not overrides(world)
    assert not audited(world)


# Notes


def test_a_note_is_added_edited_and_deleted_by_its_author(
    dashboard: Dashboard, world: World
) -> None:
    browser = signed_in(dashboard, world, "editor")
    text = "<b>First</b> line\r\nsecond & 'last' line  "
    answer = browser.post(address_of(world, "/notes"), text=text)
    page = browser.get(answer.location)
    assert "Editor, just now" in text_of(page)
    assert "&lt;b&gt;First&lt;/b&gt; line\nsecond &amp; &#39;last&#39; line</p>" in page.text
    assert "second &amp; &#39;last&#39; line" in browser.get(address_of(world)).text
    [address] = re.findall(r'href="([^"]+/notes/\d+)"', page.text)
    assert "&lt;b&gt;First" in browser.get(address).text
    dashboard.clock.advance(hours=2)
    page = browser.get(browser.post(address, text="Second thoughts").location)
    assert "Second thoughts Editor, 2 hours ago , edited just now" in text_of(page)
    assert "First" not in page.text
    page = browser.get(browser.post(f"{address}/delete").location)
    assert "Second thoughts" not in page.text
    assert [entry.action for entry in audited(world)] == [
        "Note deleted",
        "Note edited",
        "Note added",
    ]
    assert "Second" not in str(audited(world))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \r\n ", "Enter a note."),
        ("x" * 10_001, "A note can have at most 10,000 characters."),
    ],
)
def test_an_invalid_note_is_rejected(
    dashboard: Dashboard, world: World, text: str, message: str
) -> None:
    browser = signed_in(dashboard, world, "editor")
    answer = browser.post(address_of(world, "/notes"), text=text)
    assert (answer.status_code, message in text_of(answer)) == (422, True)
    assert not audited(world)


def test_a_note_is_edited_only_by_its_author_and_deleted_also_by_administrators(
    dashboard: Dashboard, world: World
) -> None:
    author = signed_in(dashboard, world, "editor")
    author.post(address_of(world, "/notes"), text="Mine")
    other = dashboard.signed_in("other@acme.com", (world.organization, "editor"))
    viewer = signed_in(dashboard, world, "viewer")
    administrator = signed_in(dashboard, world, "administrator")
    [row] = query_notes()
    address = address_of(world, f"/notes/{row['id']}")
    for browser in (other, viewer):
        page = browser.get(address_of(world, "/notes"))
        assert "Mine" in page.text
        assert address not in page.text
        assert browser.get(address).status_code == 403
        assert browser.post(address, text="Yours").status_code == 403
        assert browser.post(f"{address}/delete").status_code == 403
    assert "<textarea" not in viewer.get(address_of(world, "/notes")).text
    assert viewer.post(address_of(world, "/notes"), text="Hello").status_code == 403
    assert administrator.post(address, text="Ours").status_code == 403
    assert [note["text"] for note in query_notes()] == ["Mine"]
    assert administrator.post(f"{address}/delete").status_code == 303
    assert query_notes() == []
    assert author.get(address).status_code == 404


def test_a_note_belongs_to_its_company(dashboard: Dashboard, world: World) -> None:
    track(world, ago(days=1), company="c2")
    browser = signed_in(dashboard, world, "editor")
    browser.post(address_of(world, "/notes"), text="Of the first")
    [row] = query_notes()
    elsewhere = address_of(world, f"/notes/{row['id']}", company="c2")
    assert browser.get(elsewhere).status_code == 404
    assert browser.post(f"{elsewhere}/delete").status_code == 404
    assert "Of the first" not in browser.get(address_of(world, "/notes", company="c2")).text


def test_a_form_that_is_sent_twice_adds_one_note(dashboard: Dashboard, world: World) -> None:
    browser = signed_in(dashboard, world, "editor")
    page = browser.get(address_of(world, "/notes"))
    [form_id] = re.findall(r'name="form_id" type="hidden" value="([^"]+)"', page.text)
    sent = [{"text": "Call them.", "form_id": form_id}] * 2 + [{"text": "", "form_id": form_id}]
    answers = [browser.post(address_of(world, "/notes"), **form) for form in sent]
    assert [answer.status_code for answer in answers] == [303, 303, 422]
    browser.post(address_of(world, "/notes"), text="They called.", form_id=form_id)
    browser.post(address_of(world, "/notes"), text="Call them.", form_id="no id")
    with transaction():
        texts = [row["text"] for row in query("select text from company_notes order by id")]
    assert texts == ["Call them.", "They called.", "Call them."]
    assert [entry.action for entry in audited(world)] == ["Note added"] * 3


def test_notes_are_paged(dashboard: Dashboard, world: World) -> None:
    browser = signed_in(dashboard, world, "editor")
    browser.post(address_of(world, "/notes"), text="Note 1")
    with transaction():
        execute(
            "insert into company_notes (organization_id, company_id, person_id, at, text)"
            " select organization_id, company_id, person_id, at, 'Note ' || n"
            " from company_notes, generate_series(2, 45) n"
        )
    seen: list[str] = []
    address: str | None = address_of(world, "/notes")
    while address:
        page = browser.get(address, headers={"HX-Request": "true"} if seen else {})
        seen += re.findall(r">(Note \d+)</p>", page.text)
        address = next(iter(fetched_by(page.text)), None)
    assert seen == [f"Note {number}" for number in range(45, 0, -1)]
    assert "All notes" in browser.get(address_of(world)).text


def query_notes() -> list[dict[str, Any]]:
    with transaction():
        return query("select id, text from company_notes order by id")
