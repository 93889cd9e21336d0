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
from tests.support.company_page import Tenant, ago
from tests.support.dashboard import NOW, Browser, Dashboard, ServeDashboard, text_of

GROUNDS = {"reason": "on holiday", "owner": "ann@acme.com"}


@pytest.fixture
def tenant(dashboard: Dashboard) -> Tenant:
    return Tenant.of(dashboard).living()


def signed_in(dashboard: Dashboard, tenant: Tenant, role: str) -> Browser:
    return dashboard.signed_in(f"{role}@acme.com", (tenant.organization, role))


def overrides(tenant: Tenant) -> list[StoredOverride]:
    with transaction():
        listed = flag_overrides.list_for_organization(tenant.organization.id, ended=True)
    return [one.override for one in listed]


def audited(tenant: Tenant) -> list[AuditEntry]:
    with transaction():
        entries = audit_log.read_page(tenant.organization.id, limit=20)
    return [entry for entry in entries if entry.action != "Signed in"]


def override(browser: Browser, tenant: Tenant, flag: str = "Logs%20in", **form: Any) -> Any:
    chosen = {"counts": "snooze", "ends": "7", "day": "", **GROUNDS, **form}
    return browser.post(tenant.address(f"/flags/{flag}"), **chosen)


# Flags


def test_an_editor_snoozes_a_flag_and_ends_that(dashboard: Dashboard, tenant: Tenant) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    form = browser.get(tenant.address("/flags/Logs%20in"))
    assert 'value="editor@acme.com"' in form.text
    answer = override(browser, tenant)
    assert (answer.status_code, answer.location) == (303, tenant.address())
    page = browser.get(answer.location)
    text = text_of(page)
    assert "Logs in is snoozed until 27 Jan 2026, 10:30:05 UTC. Acme Corp is Healthy." in text
    assert re.search(r"Logs in At Risk snoozed", text)
    assert "Snoozed until 27 Jan 2026, 10:30 UTC: “on holiday” ann@acme.com" in text
    [stored] = overrides(tenant)
    assert (stored.status, stored.ends_at) == (None, NOW + timedelta(days=7))
    assert (stored.made_by, stored.owner) == ("editor@acme.com", "ann@acme.com")
    assert tenant.company().health_status == "Healthy"
    assert audited(tenant)[0].action == "Flag snoozed"
    assert audited(tenant)[0].subject == "Logs in of Acme Corp (c1)"

    dashboard.clock.advance(hours=1)
    answer = browser.post(tenant.address("/flags/Logs%20in/end"))
    text = text_of(browser.get(answer.location))
    assert "Logs in is no longer snoozed or overridden. Acme Corp is At Risk." in text
    assert "Past snoozes and overrides (1)" in text
    assert "ended by editor@acme.com (ended by hand)" in text
    assert tenant.company().health_status == "At Risk"
    assert audited(tenant)[0].action == "Flag counts again"
    with transaction():
        causes = [one.cause for one in transitions.list_for_company(tenant.company().id)]
    assert causes[-2:] == ["override", "override"]


def test_an_editor_overrides_a_flag_until_it_is_ended(dashboard: Dashboard, tenant: Tenant) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    answer = override(browser, tenant, "Reports", counts="=Critical", ends="hand")
    text = text_of(browser.get(answer.location))
    assert "Reports counts as Critical until somebody ends that. Acme Corp is Critical." in text
    [stored] = overrides(tenant)
    assert (stored.flag, stored.status, stored.ends_at) == ("Reports", "Critical", None)
    assert audited(tenant)[0].detail == {"counts as": "Critical", **GROUNDS}
    override(browser, tenant, "Reports", counts="=Healthy", ends="1")
    assert [one.status for one in overrides(tenant)] == ["Healthy", "Critical"]
    assert tenant.company().health_status == "At Risk"


def test_it_can_end_with_a_day(dashboard: Dashboard, tenant: Tenant) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    assert override(browser, tenant, ends="day", day="2026-01-20").status_code == 303
    assert overrides(tenant)[0].ends_at == datetime(2026, 1, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "said"),
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
def test_what_is_wrong_is_said_at_its_field_and_nothing_changes(
    dashboard: Dashboard, tenant: Tenant, wrong: dict[str, str], said: str
) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    browser.get(tenant.address())
    answer = override(browser, tenant, **wrong)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert 'aria-invalid="true"' in answer.text
    assert not overrides(tenant)
    assert not audited(tenant)


def test_a_flag_that_the_rules_do_not_have_is_not_found(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    assert browser.get(tenant.address("/flags/Nothing")).status_code == 404
    assert override(browser, tenant, "Nothing").status_code == 404
    assert not audited(tenant)


def test_ending_what_is_not_overridden_says_so(dashboard: Dashboard, tenant: Tenant) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    answer = browser.post(tenant.address("/flags/Reports/end"))
    assert "is not snoozed or overridden" in text_of(browser.get(answer.location))
    assert not audited(tenant)


def test_webhooks_that_tell_it_are_asked_for_at_once(
    dashboard: Dashboard, tenant: Tenant, settings: Settings
) -> None:
    with transaction():
        keys = [Fernet.generate_key().decode()]
        webhook_endpoints.add(tenant.organization.id, "https://a.example", secret_keys=keys)
    override(signed_in(dashboard, tenant, "editor"), tenant)
    with transaction():
        assert len(query("select from deliveries")) == 1
    with redis.Redis.from_url(settings.redis_url) as client:
        assert client.llen(f"dramatiq:{messages.WEBHOOKS}") == 1


def test_without_redis_nothing_changes(
    serve_dashboard: ServeDashboard, tenant: Tenant, settings: Settings
) -> None:
    without = serve_dashboard(queue_url="redis://127.0.0.1:1/0")
    answer = override(signed_in(without, tenant, "editor"), tenant)
    assert answer.status_code == 503
    assert "Redis does not respond. Nothing was changed." in text_of(answer)
    assert not overrides(tenant)


def test_a_snooze_whose_time_is_over_is_not_in_force_before_the_clock_comes_by(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    override(browser, tenant, ends="1")
    dashboard.clock.advance(days=1, seconds=1)
    browser.sign_in("editor@acme.com")
    text = text_of(browser.get(tenant.address()))
    assert "Snoozed until" not in text
    assert "Past snoozes and overrides (1)" in text


def test_a_viewer_sees_what_is_in_force_and_cannot_change_it(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    override(signed_in(dashboard, tenant, "editor"), tenant)
    viewer = signed_in(dashboard, tenant, "viewer")
    page = viewer.get(tenant.address())
    assert "Snoozed until" in text_of(page)
    assert "/flags/" not in page.text
    assert viewer.get(tenant.address("/flags/Reports")).status_code == 403
    assert override(viewer, tenant, "Reports").status_code == 403
    assert viewer.post(tenant.address("/flags/Logs%20in/end")).status_code == 403
    assert len(overrides(tenant)) == 1


def test_a_form_without_its_token_changes_nothing(dashboard: Dashboard, tenant: Tenant) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    for rest in ("/flags/Reports", "/flags/Reports/end", "/notes", "/notes/1", "/notes/1/delete"):
        answer = browser.client.post(tenant.address(rest), data={"text": "x", **GROUNDS})
        assert answer.status_code == 400
    assert not overrides(tenant)
    assert not audited(tenant)


# Notes


def test_a_note_is_added_edited_and_deleted_by_its_author(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    text = "<b>First</b> line\r\nsecond & 'last' line  "
    answer = browser.post(tenant.address("/notes"), text=text)
    page = browser.get(answer.location)
    assert "Editor, just now" in text_of(page)
    assert "&lt;b&gt;First&lt;/b&gt; line\nsecond &amp; &#39;last&#39; line</p>" in page.text
    assert "second &amp; &#39;last&#39; line" in browser.get(tenant.address()).text
    [address] = re.findall(r'href="([^"]+/notes/\d+)"', page.text)
    assert "&lt;b&gt;First" in browser.get(address).text
    dashboard.clock.advance(hours=2)
    page = browser.get(browser.post(address, text="Second thoughts").location)
    assert "Second thoughts Editor, 2 hours ago , edited just now" in text_of(page)
    assert "First" not in page.text
    page = browser.get(browser.post(f"{address}/delete").location)
    assert "Second thoughts" not in page.text
    assert [one.action for one in audited(tenant)] == ["Note deleted", "Note edited", "Note added"]
    assert "Second" not in str(audited(tenant))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" \r\n ", "Enter a note."),
        ("x" * 10_001, "A note can have at most 10,000 characters."),
    ],
)
def test_a_note_that_is_none_is_refused(
    dashboard: Dashboard, tenant: Tenant, text: str, said: str
) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    answer = browser.post(tenant.address("/notes"), text=text)
    assert (answer.status_code, said in text_of(answer)) == (422, True)
    assert not audited(tenant)


def test_only_its_author_edits_a_note_and_only_they_or_an_administrator_delete_it(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    author = signed_in(dashboard, tenant, "editor")
    author.post(tenant.address("/notes"), text="Mine")
    other = dashboard.signed_in("other@acme.com", (tenant.organization, "editor"))
    viewer = signed_in(dashboard, tenant, "viewer")
    administrator = signed_in(dashboard, tenant, "administrator")
    [row] = query_notes()
    address = tenant.address(f"/notes/{row['id']}")
    for browser in (other, viewer):
        page = browser.get(tenant.address("/notes"))
        assert "Mine" in page.text
        assert address not in page.text
        assert browser.get(address).status_code == 403
        assert browser.post(address, text="Yours").status_code == 403
        assert browser.post(f"{address}/delete").status_code == 403
    assert "<textarea" not in viewer.get(tenant.address("/notes")).text
    assert viewer.post(tenant.address("/notes"), text="Hello").status_code == 403
    assert administrator.post(address, text="Ours").status_code == 403
    assert [note["text"] for note in query_notes()] == ["Mine"]
    assert administrator.post(f"{address}/delete").status_code == 303
    assert query_notes() == []
    assert author.get(address).status_code == 404


def test_a_note_belongs_to_its_company(dashboard: Dashboard, tenant: Tenant) -> None:
    tenant.track(ago(days=1), company="c2")
    browser = signed_in(dashboard, tenant, "editor")
    browser.post(tenant.address("/notes"), text="Of the first")
    [row] = query_notes()
    elsewhere = tenant.address(f"/notes/{row['id']}", company="c2")
    assert browser.get(elsewhere).status_code == 404
    assert browser.post(f"{elsewhere}/delete").status_code == 404
    assert "Of the first" not in browser.get(tenant.address("/notes", company="c2")).text


def test_notes_go_on_from_where_they_ended(dashboard: Dashboard, tenant: Tenant) -> None:
    browser = signed_in(dashboard, tenant, "editor")
    browser.post(tenant.address("/notes"), text="Note 1")
    with transaction():
        execute(
            "insert into company_notes (organization_id, company_id, person_id, at, text)"
            " select organization_id, company_id, person_id, at, 'Note ' || n"
            " from company_notes, generate_series(2, 45) n"
        )
    seen: list[str] = []
    address: str | None = tenant.address("/notes")
    while address:
        page = browser.get(address, headers={"HX-Request": "true"} if seen else {})
        seen += re.findall(r">(Note \d+)</p>", page.text)
        found = re.search(r'hx-get="([^"]+)"', page.text)
        address = found.group(1) if found else None
    assert seen == [f"Note {number}" for number in range(45, 0, -1)]
    assert "All notes" in browser.get(tenant.address()).text


def query_notes() -> list[dict[str, Any]]:
    with transaction():
        return query("select id, text from company_notes order by id")
