"""API keys, webhooks with a real receiver, and the log of deliveries."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from playwright.sync_api import Page, expect

from config.settings import Settings
from models.database import execute, transaction
from models.organizations import audit_log
from models.organizations.organizations import Organization
from models.webhooks import webhook_endpoints
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.browser.accessibility import faults_in_every_look
from tests.support.browser.browsing import OpenPage, open_details
from tests.support.browser.running_dashboard import RunningDashboard
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store
from tests.support.ingress.former_keys import add_key_as_the_release_before
from tests.support.product.procfile_lines import running_line
from tests.support.webhooks.receiver import Receiver

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: {name: Signed in}}
flags:
  - flag: Logs in
    event: login
    when: {Critical: less than 2 times in 7 days}
"""

CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture(scope="module")
def delivering(
    served: tuple[RunningDashboard, Settings], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The process that delivers webhooks."""
    log = tmp_path_factory.mktemp("deliver") / "deliver.log"
    with running_line("deliver", served[1], log):
        yield
    output = log.read_text(errors="replace")
    assert "Traceback" not in output, output


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    started = Receiver()
    yield started
    started.close()


@pytest.fixture
def base(organization: Organization) -> str:
    return f"/o/{organization.name}/settings/developers"


def subscribe(
    organization: Organization, served: tuple[RunningDashboard, Settings], url: str
) -> tuple[str, str]:
    """Add a webhook; return the path of its page below the developers' pages, and its secret."""
    with transaction():
        endpoint_id, secret = webhook_endpoints.add(
            organization.id, url, secret_keys=served[1].secret_keys
        )
    return f"/webhooks/{endpoint_id}", secret


def fail_deliveries(organization: Organization, *companies: str) -> None:
    """Make companies turn Critical, and mark the deliveries about it as failed."""
    now, rulebooks = datetime.now(UTC), RuleBooks()
    with transaction():
        since = now - timedelta(days=30)
        apply_rules(organization.id, RULES, file="r.yaml", applied_by="test", now=since)
    at = now - timedelta(hours=1)
    events = [
        tracked(organization.id, company, at, company={"name": company.title()})
        for company in companies
    ]
    for company_id in store(events, rulebooks):
        evaluate([company_id], rulebooks, now)
    with transaction():
        execute(
            "update deliveries set state = 'failed', parked = false, next_attempt_at = null,"
            " finished_at = now()"
            " where organization_id = %(id)s",
            {"id": organization.id},
        )


def secret_shown(page: Page) -> str:
    return page.locator("#secret").inner_text()


def actions(organization: Organization) -> list[str]:
    """Return the actions in the audit log except for sign-ins, latest first."""
    with transaction():
        entries = audit_log.read_page(organization.id, limit=20)
    return [entry.action for entry in entries if entry.action != "Signed in"]


def test_a_key_is_created_copied_used_and_revoked(
    base: str, organization: Organization, dashboard: RunningDashboard, browser_page: OpenPage
) -> None:
    page = browser_page("administrator", permissions=CLIPBOARD)
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text("No active API keys")).to_be_visible()
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Name").fill("Shop")
    expect(page.get_by_label("send: ")).to_be_checked()
    page.get_by_role("button", name="Create key").click()
    key = secret_shown(page)
    assert re.fullmatch(r"bzb_\S{32,}", key)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    assert companies_status(dashboard, key) == 403
    page.get_by_role("link", name="Back to API keys").click()
    assert key not in page.content()
    page.get_by_role("link", name="Scopes of Shop").click()
    page.get_by_label("send: ").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Select at least one scope.")).to_be_visible()
    page.get_by_label("read: ").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("“Shop” has the scopes read.")
    deadline = time.monotonic() + 10
    while companies_status(dashboard, key) != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    page.reload()
    row = page.get_by_role("row", name=re.compile("^Shop"))
    expect(row).to_contain_text(f"bzb_…{key[-4:]}")
    expect(row).to_contain_text("just now")
    cards = page.locator(".card", has=page.locator("meter"))
    expect(cards.nth(0)).to_contain_text("Sending events 0 of")
    expect(cards.nth(1)).to_contain_text(re.compile(r"Reading data\s+[1-9]\d* of"))
    expect(cards.nth(1).locator("meter")).not_to_have_js_property("value", 0)
    row.get_by_role("link", name="Revoke Shop").click()
    expect(page.get_by_role("heading", name="Revoke “Shop”?")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Revoke Shop").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_role("status").first).to_contain_text("“Shop” was revoked")
    expect(page.get_by_text("No active API keys")).to_be_visible()
    page.get_by_text("Revoked keys (1)").click()
    revoked = page.get_by_role("region", name="Revoked API keys")
    expect(revoked.get_by_role("row", name=re.compile("^Shop"))).to_be_visible()
    assert actions(organization) == [
        "API key revoked",
        "API key scopes changed",
        "API key created",
    ]


def companies_status(dashboard: RunningDashboard, key: str) -> int:
    """Return the status of the answer to a program that reads with a key."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{dashboard.url}/v1/companies", headers={"x-api-key": key})
    return answer.status_code


def test_without_clipboard_access_the_secret_is_selected(base: str, browser_page: OpenPage) -> None:
    page = browser_page("administrator")
    page.add_init_script("delete Navigator.prototype.clipboard")
    page.goto(base)
    page.get_by_label("Name").fill("Shop")
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Press Ctrl-C")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == secret_shown(page)


def test_a_webhook_is_added_changed_and_removed(
    base: str, organization: Organization, browser_page: OpenPage
) -> None:
    fail_deliveries(organization, "acme")
    page = browser_page("administrator")
    page.goto(f"{base}/webhooks")
    message = page.get_by_role("status").first
    page.get_by_label("URL").fill("http://example.com/hook")
    page.get_by_role("button", name="Add webhook").click()
    expect(page.locator("#url-wrong")).to_be_visible()
    page.get_by_label("URL").fill("http://127.0.0.1:9/hook")
    page.get_by_label("Critical").check()
    page.get_by_role("button", name="Add webhook").click()
    secret = secret_shown(page)
    assert secret.startswith("whsec_")
    page.get_by_role("link", name="View webhook").click()
    assert secret not in page.content()
    expect(page.get_by_label("Critical")).to_be_checked()
    page.get_by_label("Critical").uncheck()
    page.get_by_label("At Risk").check()
    page.get_by_label("Only these companies").fill("acme\nbeta")
    page.get_by_label("Only companies with these fields").fill("plan")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#fields-wrong")).to_contain_text("plan=Enterprise")
    page.get_by_label("Only companies with these fields").fill("plan=Pro\nplan=Team")
    page.get_by_role("button", name="Save").click()
    expect(message).to_have_text("The subscription was updated.")
    with transaction():
        [endpoint] = webhook_endpoints.list_for_organization(organization.id)
    assert endpoint.subscription.statuses == ("At Risk",)
    assert endpoint.subscription.companies == ("acme", "beta")
    assert endpoint.subscription.company_fields == {"plan": ["Pro", "Team"]}
    page.get_by_label("Keep signing with the old secret for").select_option("1 hour")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Rotate secret").click()
    renewed = secret_shown(page)
    assert renewed.startswith("whsec_")
    assert renewed != secret
    expect(page.get_by_text("For 1 hour, the old secret signs as well.")).to_be_visible()
    page.get_by_role("link", name="Back to webhook").click()
    page.get_by_role("button", name="Disable").click()
    expect(message).to_contain_text("Its deliveries are kept")
    expect(page.locator("main .facts")).to_contain_text("disabled")
    page.get_by_role("button", name="Enable").click()
    expect(message).to_contain_text("The webhook is enabled")
    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove webhook").click()
    expect(message).to_have_text("The webhook to 127.0.0.1:9 was removed.")
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
    assert actions(organization)[::-1] == [
        "Webhook added", "Webhook changed", "Webhook secret rotated", "Webhook disabled",
        "Webhook enabled", "Webhook removed",
    ]  # fmt: skip


@pytest.mark.usefixtures("delivering")
def test_a_test_event_reaches_the_receiver_and_failed_deliveries_are_resent(
    base: str,
    organization: Organization,
    served: tuple[RunningDashboard, Settings],
    receiver: Receiver,
    browser_page: OpenPage,
) -> None:
    address, secret = subscribe(organization, served, receiver.url)
    fail_deliveries(organization, "acme", "beta", "cedar")
    page = browser_page("administrator")
    page.goto(f"{base}{address}")
    receiver.answers.put(500)
    page.get_by_role("button", name="Send a test").click()
    message = page.locator("#attempts [role=status]")
    expect(message).to_contain_text("The test was not accepted", timeout=20_000)
    expect(page.get_by_role("region", name="Attempts").locator("tbody tr")).to_have_count(1)
    assert receiver.next(secret)[1]["event"] == "test"
    page.get_by_role("link", name="View webhook").click()
    page.get_by_role("button", name="Send a test").click()
    expect(message).to_contain_text("The test was accepted: 204", timeout=20_000)
    receiver.next(secret)
    settings = page.get_by_role("navigation", name="Settings")
    settings.get_by_role("link", name="Deliveries").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(5)
    page.get_by_label("State").select_option("failed")
    page.wait_for_url("**state=failed**")
    failed = rows.filter(has_not_text="test event")
    expect(failed).to_have_count(3)
    failed.filter(has_text="beta").get_by_role("link", name="Delivery of").click()
    page.get_by_role("button", name="Resend").click()
    expect(page.get_by_role("status").first).to_have_text("The delivery is being resent.")
    expect(page.locator("#attempts .facts")).to_contain_text("delivered", timeout=20_000)
    payload = receiver.next(secret)[1]
    assert (payload["company"]["id"], payload["company"]["health_status"]) == ("beta", "Critical")
    expect(page.get_by_label("Payload")).to_contain_text(f'"id": "{payload["id"]}"')
    page.get_by_role("link", name="View webhook").click()
    page.get_by_label("Since").fill(f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H:%M}")
    recover = page.get_by_role("region", name="Resend failed deliveries")
    recover.get_by_role("button", name="Resend").click()
    expect(page.get_by_role("status").first).to_have_text("2 failed deliveries are being resent.")
    recovered = {receiver.next(secret)[1]["company"]["id"] for _ in range(2)}
    assert recovered == {"acme", "cedar"}
    assert actions(organization) == [
        "Deliveries recovered", "Delivery sent again", "Webhook tested", "Webhook tested",
    ]  # fmt: skip


def test_a_viewer_sees_no_secrets_and_cannot_change_anything(
    base: str,
    organization: Organization,
    served: tuple[RunningDashboard, Settings],
    browser_page: OpenPage,
) -> None:
    address, _ = subscribe(organization, served, "http://127.0.0.1:9/very/hush")
    page = browser_page("viewer")
    for path in ("", "/webhooks", address, "/deliveries"):
        page.goto(f"{base}{path}")
        expect(page.get_by_role("navigation", name="Settings")).to_be_visible()
        expect(page.get_by_role("main").locator("form[method=post]")).to_have_count(0)
        assert "hush" not in page.content()
    refused = page.goto(f"{base}{address}/remove")
    assert refused is not None
    assert refused.status == 403


@pytest.mark.long
def test_the_pages_for_developers_are_accessible_in_every_look(
    base: str,
    organization: Organization,
    served: tuple[RunningDashboard, Settings],
    browser_page: OpenPage,
) -> None:
    address, _ = subscribe(organization, served, "http://127.0.0.1:9/hook?token=" + "x" * 200)
    fail_deliveries(organization, "acme", "beta")
    page = browser_page("administrator")
    for path in ("/webhooks", address, f"{address}/remove", "/deliveries", ""):
        page.goto(f"{base}{path}")
        open_details(page)
        assert faults_in_every_look(page) == [], path
    page.get_by_label("Name").fill("Shop")
    page.get_by_role("button", name="Create key").click()
    assert faults_in_every_look(page) == []
    add_key_as_the_release_before(organization.id, "x" * 100)
    page.goto(base)
    expect(page.get_by_text("from before keys had scopes")).to_be_visible()
    assert faults_in_every_look(page) == []
    page.get_by_role("link", name="Scopes of Shop").click()
    page.get_by_label("send: ").uncheck()
    page.get_by_role("button", name="Save").click()
    assert faults_in_every_look(page) == []
    page.goto(f"{base}/deliveries")
    page.locator("tbody tr a").first.click()
    expect(page.get_by_role("heading", name="Payload")).to_be_visible()
    assert faults_in_every_look(page) == []
