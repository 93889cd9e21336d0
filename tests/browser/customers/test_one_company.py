"""One company: its health with the reasons, its history, overrides and notes."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Locator, Page, expect

from cli.main import main
from config.settings import Settings
from dashboard.presentation.wording import with_local_times
from models.companies import companies
from models.database import transaction
from models.organizations import audit_log
from models.organizations.organizations import Organization
from models.webhooks import webhook_endpoints
from services.events.tracked_event import TrackedEvent
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from services.time_zones import DEFAULT
from tests.support.browser.accessibility import faults_in_every_look
from tests.support.browser.browsing import OpenPage, open_details
from tests.support.browser.running_dashboard import RunningDashboard
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events:
  login: {name: Signed in}
  report: {name: Report created}
  error: {name: Error shown}
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 3 times in 7 days, Critical: less than 1 time in 7 days}
    note: Who renews signs in daily.
  - flag: Reports
    event: report
    when: {At Risk: less than 2 times in 14 days}
  - flag: Errors
    event: error
    when: {Critical: at least 3 times in 5 days}
    recover: less than 1 time in 30 days
  - flag: Seats
    event: login
    when: {At Risk: distinct users in 30 days below 50% of company.seats}
  - flag: Renewal
    applies_to: {company.plan: Starter}
    when: {At Risk: company.renewal_date within 60 days}
  - flag: Newcomers
    event: report
    new_company: wait 300 days
    when: {At Risk: no activity for 2 days}
"""

TABS = ("/timeline?key=error", "/users", "/fields", "/deliveries", "/notes")
"""Only a part of the timeline: axe is slow with many similar rows."""

HOOK = "http://127.0.0.1:9/very/secret"

RunCommand = Callable[..., Any]


def event(
    organization: Organization, key: str, days_ago: float, user: str | None = None, **fields: Any
) -> TrackedEvent:
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return tracked(
        organization.id,
        "acme",
        at,
        key=key,
        company={"name": "Acme Freight", **fields},
        user_id=user,
        user={"name": f"{user.title()} Doe", "email": f"{user}@acme.test"} if user else {},
        data={"code": 42} if key == "error" else None,
    )


@pytest.fixture
def company(organization: Organization, served: tuple[RunningDashboard, Settings]) -> str:
    """The path of a company that was healthy, then had errors, and has several flags raised."""
    now, rulebooks = datetime.now(UTC), RuleBooks()
    with transaction():
        since = now - timedelta(days=200)
        apply_rules(organization.id, RULES, file="r.yaml", applied_by="test", now=since)
        webhook_endpoints.add(organization.id, HOOK, secret_keys=served[1].secret_keys)
    fields = {"seats": 5, "crm_provider": "close", "crm_provider_id": "lead_1"}
    payment = {"payment_provider": "stripe", "payment_provider_id": "cus_123"}
    first_events = [
        event(organization, "login", 100 - day, f"user{day % 4}", plan="Pro", **fields)
        for day in range(60)
    ]
    first_events += [event(organization, "report", days, "ann") for days in (60, 50)]
    for until, events in (
        (41, first_events),
        (20, [event(organization, "error", 25 + part, "bob") for part in (0.1, 0.2, 0.3)]),
        (0, [event(organization, "login", 6, "ann", plan="Team", **payment),
             event(organization, "login", 1, "bob"),
             event(organization, "report", 3, "ann"), event(organization, "report", 13, "ann")]),
    ):  # fmt: skip
        store(events, rulebooks)
        with transaction():
            row = companies.find(organization.id, "acme")
        assert row is not None
        evaluate([row.id], rulebooks, now - timedelta(days=until))
    return f"/o/{organization.name}/companies/acme"


@pytest.fixture
def command(
    organization: Organization,
    served: tuple[RunningDashboard, Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> RunCommand:
    """Runs a command with `--json`, and returns its output."""
    settings = served[1]
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    monkeypatch.setenv("BRAZEBEE_SECRET_KEY", settings.secret_keys[0])

    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(main, [*arguments, "--org", organization.name, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


def instants(within: Locator) -> list[str]:
    """Return the times that a part of a page shows, to the second, as pages write them."""
    shown: list[str] = within.locator("time").evaluate_all("all => all.map(time => time.dateTime)")
    return shown


def to_the_second(at: str) -> str:
    return f"{at[:19]}Z"


def flag_card(page: Page, flag: str) -> Locator:
    return page.locator("details.flag").filter(has=page.get_by_role("heading", name=flag))


def snooze_or_override(card: Locator) -> None:
    """Open a flag, of which only the worst is open at first, and go on to its form."""
    link = card.get_by_role("link", name="Snooze or override")
    if not link.is_visible():
        card.locator("summary").click()
    link.click()


def facts_shown(card: Locator) -> dict[str, str]:
    """Return the facts on the card of a flag, by their labels."""
    texts = [
        " ".join(text.split())
        for text in card.locator("dl.explained :is(dt, dd)").all_text_contents()
    ]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def test_a_company_is_shown_as_brazebee_explain_prints_it(
    company: str, browser_page: OpenPage, command: RunCommand
) -> None:
    page = browser_page("viewer")
    page.goto(company)
    explained = command("explain", "acme")
    sentence = page.locator(".sentence")
    expect(sentence.locator(".badge")).to_have_text(explained["health_status"])
    assert instants(sentence) == [to_the_second(explained["changed_at"])]
    expect(page.locator(".key-facts strong")).to_have_text(str(explained["score"]))
    assert len(explained["flags"]) == page.locator("details.flag").count() == 6
    reasons = {flag["reason"] for flag in explained["flags"]}
    assert len(reasons) > 2  # raised, quiet and not evaluated flags are all shown
    for flag in explained["flags"]:
        card = flag_card(page, flag["flag"])
        expect(card.locator("summary .badge").first).to_have_text(flag["status"] or "N/A")
        facts = facts_shown(card)
        assert flag["threshold"] in facts["Why"]
        assert facts.get("Found") == (flag["seen"] and with_local_times(flag["seen"], DEFAULT))
        assert facts.get("Note") == flag["note"]
        assert facts.get("Recovers", "").removeprefix("when ") == (flag["recovers"] or "").lower()
        assert facts["Rule"] == f"version {explained['rules_version']}, line {flag['line']}"
        judged = flag["reason"] not in ("waits", "does_not_apply")
        assert facts.get("Counts", "").startswith(flag["counts"] or "" if judged else "")
        shown = set(instants(card.locator("dl.explained")))
        due = [flag["last_event_at"] if judged else None, flag["changes_at"]]
        assert shown == {to_the_second(at) for at in due if at}
        if flag["changes_at"]:
            assert facts["Changes"].startswith(f"{flag['changes_to']} in ")
        if flag["lacks"]:
            assert facts["Changes"].endswith(f"f {flag['lacks']}")
        if not flag["changes_at"] and not flag["lacks"]:
            assert facts["Changes"] == "No change scheduled"
    [upcoming] = command("rules", "forecast", "--days", "3650")[:1]
    note = page.locator(".message.note")
    expect(note.locator(".badge")).to_have_text(upcoming["to"])
    assert set(instants(note)) == {to_the_second(upcoming["at"])}
    for step in upcoming["flags"]:
        expect(note).to_contain_text(step["flag"])


def test_the_chart_and_its_data_are_the_transitions(
    company: str, browser_page: OpenPage, command: RunCommand
) -> None:
    page = browser_page("viewer")
    page.goto(f"{company}?span=365")
    changes = command("explain", "acme")["transitions"]
    chart = page.get_by_role("img", name="Score and status of Acme Freight")
    expect(chart).to_be_visible()
    expect(chart.locator("desc")).to_contain_text(f"changed {len(changes)} times")
    numbers = page.get_by_role("region", name="Score and status since")
    expect(numbers).to_be_hidden()
    page.locator("summary", has_text="Show data").click()
    expect(numbers).to_be_visible()
    for change in changes:
        row = numbers.get_by_role("row").filter(
            has=page.locator(f'time[datetime="{to_the_second(change["at"])}"]')
        )
        expect(row.locator(".badge").first).to_have_text(change["to"])
    rows = numbers.locator("tbody tr").count()
    page.get_by_role("link", name="30 days").click()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")
    page.locator("summary", has_text="Show data").click()
    assert numbers.locator("tbody tr").count() < rows


def test_the_tabs_show_the_data_of_a_company(
    company: str, browser_page: OpenPage, command: RunCommand
) -> None:
    page = browser_page("viewer")
    page.goto(company)
    crm = page.get_by_role("link", name=re.compile("^Close lead_1"))
    expect(crm).to_have_attribute("href", "https://app.close.com/lead/lead_1/")
    expect(crm).to_have_attribute("rel", re.compile("noopener"))
    stripe = page.get_by_role("link", name=re.compile("^Stripe cus_123"))
    expect(stripe).to_have_attribute("href", "https://dashboard.stripe.com/customers/cus_123")
    tabs = page.get_by_role("navigation", name="Acme Freight")
    tabs.get_by_role("link", name="Timeline").click()
    items = page.locator(".feed > li:not(.more)")
    expect(items).to_have_count(50)
    page.get_by_role("link", name="Show older").click()
    expect(page.get_by_role("link", name="Show older")).to_have_count(0)
    assert items.count() > 60
    expect(items.nth(50)).to_be_focused()
    page.get_by_label("Show", exact=True).select_option("Health changes")
    expect(page.locator(".feed .event")).to_have_count(0)
    expect(page.locator(".feed .change").last).to_be_visible()
    expect(page.locator(".feed .changes", has_text="Errors")).to_have_count(1)
    page.get_by_label("Show", exact=True).select_option("Events")
    page.get_by_label("Event key").select_option("Error shown")
    expect(items).to_have_count(3)
    items.first.locator("summary").click()
    expect(items.first.locator("pre")).to_contain_text('"code": 42')
    tabs.get_by_role("link", name="Users").click()
    expect(page.get_by_role("heading", name="Users")).to_contain_text("6")
    expect(page.locator("tbody tr").first).to_contain_text("Bob Doe bob@acme.test · bob")
    tabs.get_by_role("link", name="Fields").click()
    row = page.get_by_role("region", name="Fields").get_by_role("row", name=re.compile("^plan "))
    expect(row).to_contain_text("Team")
    row.get_by_role("link", name="History of plan").click()
    history = page.get_by_role("region", name="Changes of fields").locator("tbody tr")
    expect(history).to_have_text([re.compile(r"\s+Team\s+Pro\s*$"), re.compile(r"\s+Pro\s+–\s*$")])
    tabs.get_by_role("link", name="Deliveries").click()
    deliveries = command("deliveries", "list", "--company", "acme")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(len(deliveries))
    assert len(deliveries) > 3
    for index, delivery in enumerate(deliveries):
        cells = rows.nth(index).locator("td")
        created_at = to_the_second(delivery["created_at"])
        expect(cells.first.locator("time")).to_have_attribute("datetime", created_at)
        texts = [delivery["event"], "127.0.0.1:9", delivery["state"], str(delivery["attempts"])]
        assert cells.all_inner_texts()[1:5] == texts
        next_attempt_at = delivery["next_attempt_at"]
        due = [to_the_second(next_attempt_at)] if next_attempt_at else []
        assert instants(cells.last) == due
    assert "secret" not in page.content()


def test_an_editor_snoozes_and_overrides_a_flag_and_ends_both(
    company: str, organization: Organization, browser_page: OpenPage, command: RunCommand
) -> None:
    page = browser_page("editor")
    page.goto(company)
    card = flag_card(page, "Logs in")
    message = page.get_by_role("status").first
    snooze_or_override(card)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Enter a reason")).to_be_visible()
    page.get_by_label("Reason").fill("On holiday")
    page.get_by_label("Ends").select_option("in 3 days")
    page.get_by_role("button", name="Save").click()
    expect(message).to_contain_text("Logs in is snoozed until")
    expect(card.locator("summary")).to_contain_text("snoozed")
    expect(card).to_contain_text("“On holiday”")
    [flag] = [state for state in command("explain", "acme")["flags"] if state["flag"] == "Logs in"]
    assert (flag["override"]["kind"], flag["override"]["reason"]) == ("snooze", "On holiday")
    assert to_the_second(flag["override"]["ends_at"]) in instants(card.locator(".in-force"))
    card.get_by_role("button", name="End snooze").click()
    expect(message).to_contain_text("Logs in is no longer snoozed or overridden.")
    page.get_by_text("Past snoozes and overrides (1)").click()
    expect(page.locator(".former li")).to_contain_text("was snoozed")
    snooze_or_override(card)
    expect(page.get_by_label("Date")).to_be_hidden()
    page.get_by_label("This flag").select_option("Counts as Healthy")
    page.get_by_label("Ends").select_option("on a date")
    page.get_by_label("Date").fill((datetime.now(UTC) + timedelta(days=2)).date().isoformat())
    page.get_by_label("Reason").fill("They wrote to us")
    page.get_by_role("button", name="Save").click()
    expect(message).to_contain_text("Logs in counts as Healthy until")
    expect(card.locator("summary")).to_contain_text("counts as Healthy")
    explained = command("explain", "acme")
    expect(page.locator(".key-facts strong")).to_have_text(str(explained["score"]))
    card.get_by_role("button", name="End override").click()
    expect(page.get_by_text("Past snoozes and overrides (2)")).to_be_visible()
    with transaction():
        actions = [entry.action for entry in audit_log.read_page(organization.id, limit=4)]
    assert actions == ["Flag counts again", "Flag overridden", "Flag counts again", "Flag snoozed"]
    if not card.get_by_role("link", name="version 1, line").is_visible():
        card.locator("summary").click()
    card.get_by_role("link", name="version 1, line").click()
    expect(page.locator(".cm-activeLine")).to_have_text("  - flag: Logs in")


def test_an_editor_writes_changes_and_deletes_a_note(company: str, browser_page: OpenPage) -> None:
    page = browser_page("editor")
    page.goto(company)
    message, notes = page.get_by_role("status").first, page.locator(".notes li")
    page.get_by_role("textbox", name="Note").fill("<b>Ann</b> leaves\nin March.")
    page.get_by_role("button", name="Add note").click()
    expect(message).to_have_text("Your note was added.")
    expect(notes.locator(".written")).to_have_text("<b>Ann</b> leaves in March.")
    notes.get_by_role("link", name="Edit").click()
    expect(page.get_by_role("heading", name="Edit your note")).to_be_visible()
    page.get_by_role("textbox", name="Note").fill("Ann leaves in May.")
    page.get_by_role("button", name="Save").click()
    expect(notes).to_contain_text("Ann leaves in May.")
    expect(notes).to_contain_text("edited")
    page.once("dialog", lambda dialog: dialog.dismiss())
    notes.get_by_role("button", name="Delete").click()
    expect(notes).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    notes.get_by_role("button", name="Delete").click()
    expect(message).to_have_text("The note was deleted.")
    expect(page.get_by_text("No notes yet")).to_be_visible()


def test_a_viewer_cannot_change_anything(company: str, browser_page: OpenPage) -> None:
    page = browser_page("viewer")
    for path in ("", "/notes"):
        page.goto(f"{company}{path}")
        expect(page.get_by_role("main").locator("form[method=post]")).to_have_count(0)
        expect(page.get_by_role("link", name=re.compile("Snooze|Edit"))).to_have_count(0)
    refused = page.goto(f"{company}/flags/Reports")
    assert refused is not None
    assert refused.status == 403


@pytest.mark.long
def test_the_pages_of_a_company_are_accessible_in_every_look(
    company: str, browser_page: OpenPage
) -> None:
    page = browser_page("editor")
    for path in ("", *TABS, "/flags/Reports"):
        page.goto(f"{company}{path}")
        open_details(page)
        assert faults_in_every_look(page) == [], path
