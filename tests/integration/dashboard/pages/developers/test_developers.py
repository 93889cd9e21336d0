"""Settings -> Developers: keys, webhooks and deliveries, and who may change them."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner

from cli.main import main
from config.settings import Settings
from models.database import execute, query, transaction
from models.keys import api_keys
from models.keys.api_keys import digest
from models.organizations import audit_log
from models.organizations.organizations import Organization
from models.webhooks import deliveries, delivery_log, webhook_endpoints
from models.webhooks.deliveries import NewDelivery
from models.webhooks.webhook_endpoints import Endpoint, Subscription
from queues.admissions import READS, Admissions
from queues.broker import build_broker
from queues.messages import WEBHOOKS
from services.webhooks import endpoints
from tests.support.dashboard import NOW, Browser, Dashboard, ServeDashboard, text_of
from tests.support.world import Tracked

BASE = "/o/acme/settings/developers"
HOOK = "http://127.0.0.1:9/hook?token=hush"
HOSTILE = '<b>"x"</b>\'&/%'

POSTS = (
    "/keys",
    "/keys/1/revoke",
    "/webhooks",
    "/webhooks/{id}/subscription",
    "/webhooks/{id}/secret",
    "/webhooks/{id}/disable",
    "/webhooks/{id}/enable",
    "/webhooks/{id}/test",
    "/webhooks/{id}/recover",
    "/webhooks/{id}/remove",
    "/deliveries/{delivery}/resend",
)
PAGES = (
    "",
    "/webhooks",
    "/webhooks/{id}",
    "/deliveries",
    "/deliveries/{delivery}",
    "/deliveries/{delivery}/attempts",
)


@dataclass
class Developers:
    """An organization `acme` with a webhook, and the browser of its administrator."""

    dashboard: Dashboard
    settings: Settings
    organization: Organization
    endpoint_id: UUID
    browser: Browser

    @property
    def endpoint(self) -> Endpoint:
        with transaction():
            return endpoints.find(self.organization.id, self.endpoint_id)

    def read(self, path: str = "") -> str:
        answer = self.browser.get(BASE + path)
        assert answer.status_code == 200, answer.status
        return unescape(text_of(answer))

    def send(self, path: str, **form: Any) -> str:
        """Send a form, and read the page that it leads to."""
        answer = self.browser.post(BASE + path, **form)
        if answer.status_code == 303:
            answer = self.browser.get(answer.location)
        return unescape(text_of(answer))

    def logged(self) -> tuple[str, str, dict[str, Any]]:
        """The newest entry of the audit log."""
        with transaction():
            [entry] = audit_log.read_page(
                self.organization.id, made_by=None, action=None, before_id=None, limit=1
            )
        assert entry.made_by == "ann@acme.com"
        return entry.action, entry.subject, dict(entry.detail)

    def deliver(self, number: int = 1, *, state: str = "delivered") -> list[UUID]:
        """So many tests that were written five minutes ago, in this state."""
        made = []
        with transaction():
            for place in range(number):
                at = NOW - timedelta(minutes=5, seconds=place)
                new = NewDelivery(
                    self.organization.id, self.endpoint_id, None, "msg_1", '{"event": "test"}'
                )
                made.append(deliveries.add(new, at))
            execute(
                "update deliveries set state = %(state)s, next_attempt_at = null, finished_at ="
                " created_at where id = any(%(ids)s::uuid[])",
                {"state": state, "ids": made},
            )
        return made

    def asked_for(self) -> int:
        """How many messages wait for `deliver`."""
        broker = build_broker(self.settings.redis_url)
        try:
            return broker.waiting(WEBHOOKS)
        finally:
            broker.client.close()


@pytest.fixture
def developers(dashboard: Dashboard, settings: Settings) -> Developers:
    organization = dashboard.organization("acme")
    with transaction():
        endpoint_id, _ = webhook_endpoints.add(
            organization.id, HOOK, secret_keys=settings.secret_keys
        )
    browser = dashboard.signed_in("ann@acme.com", (organization, "administrator"))
    return Developers(dashboard, settings, organization, endpoint_id, browser)


def shown_secret(page: str, prefix: str) -> str:
    found = re.search(rf"({re.escape(prefix)}\S+)", page)
    assert found
    return found[1]


# Who may


def filled_in(path: str, developers: Developers, delivery: UUID) -> str:
    return BASE + path.format(id=developers.endpoint_id, delivery=delivery)


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_who_is_no_administrator_sees_all_and_changes_nothing(
    developers: Developers, role: str
) -> None:
    [delivery] = developers.deliver()
    browser = developers.dashboard.signed_in("vic@acme.com", (developers.organization, role))
    for path in PAGES:
        page = browser.get(filled_in(path, developers, delivery))
        assert page.status_code == 200, path
        main = page.text.split("<main", maxsplit=1)[-1]
        assert 'method="post"' not in main
        assert "hush" not in main, "the path of a URL is often a secret"
    for path in POSTS:
        answer = browser.post(filled_in(path, developers, delivery), name="x", url=HOOK)
        assert answer.status_code == 403, path
    for path in ("/keys/1/revoke", "/webhooks/{id}/remove"):
        assert browser.get(filled_in(path, developers, delivery)).status_code == 403


def test_the_navigation_says_in_which_part_of_the_settings_one_is(developers: Developers) -> None:
    [delivery] = developers.deliver()
    for path, title in (
        ("", "API keys"),
        ("/webhooks", "Webhooks"),
        ("/webhooks/{id}", "Webhooks"),
        ("/webhooks/{id}/remove", "Webhooks"),
        ("/deliveries", "Deliveries"),
        ("/deliveries/{delivery}", "Deliveries"),
    ):
        page = developers.browser.get(filled_in(path, developers, delivery)).text
        tabs = page.split('aria-label="Settings"')[1].split("</nav>")[0]
        assert re.findall(r'aria-current="page">([^<]+)', tabs) == [title], path


def test_other_organizations_do_not_exist(developers: Developers) -> None:
    [delivery] = developers.deliver()
    other = developers.dashboard.organization("other")
    stranger = developers.dashboard.signed_in("sam@other.com", (other, "administrator"))
    with transaction():
        api_keys.create(developers.organization.id, "ours")
    for path in PAGES:
        assert stranger.get(filled_in(path, developers, delivery)).status_code == 404, path
    for path in POSTS:
        assert stranger.post(filled_in(path, developers, delivery)).status_code == 404, path
        theirs = filled_in(path, developers, delivery).replace("/o/acme", "/o/other")
        if "{" in path or "1" in path:
            assert stranger.post(theirs).status_code == 404, path
    for path in PAGES:
        theirs = filled_in(path, developers, delivery).replace("/o/acme", "/o/other")
        if "{" in path:
            assert stranger.get(theirs).status_code == 404, path
    assert developers.endpoint.disabled_at is None


def test_without_the_token_of_the_page_nothing_is_changed(developers: Developers) -> None:
    [delivery] = developers.deliver()
    for path in POSTS:
        address = filled_in(path, developers, delivery)
        answer = developers.browser.client.post(address, data={"name": "x", "url": HOOK})
        assert answer.status_code == 400, path
    assert developers.endpoint.disabled_at is None


# Keys


def test_a_new_key_is_shown_once_and_is_valid(developers: Developers) -> None:
    assert "No active API keys" in developers.read()
    key = shown_secret(developers.send("/keys", name=f" {HOSTILE} "), "bzb_")
    with transaction():
        held = api_keys.find_holder(digest(key))
    assert held is not None
    assert held.organization_id == developers.organization.id
    listed = developers.read()
    assert key not in listed
    assert f"{HOSTILE} bzb_…{key[-4:]}" in listed
    assert developers.logged() == ("API key created", HOSTILE, {"key": f"bzb_...{key[-4:]}"})


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_key_needs_a_name_of_one_line(developers: Developers, name: str) -> None:
    answer = developers.browser.post(f"{BASE}/keys", name=name)
    assert answer.status_code == 422
    with transaction():
        assert api_keys.list_for_organization(developers.organization.id) == []


def test_a_key_is_revoked_after_a_question(developers: Developers) -> None:
    key = shown_secret(developers.send("/keys", name="shop"), "bzb_")
    with transaction():
        [stored] = api_keys.list_for_organization(developers.organization.id)
    asked = developers.read(f"/keys/{stored.id}/revoke")
    assert "Revoke “shop”?" in asked
    assert "last used: never" in asked
    said = developers.send(f"/keys/{stored.id}/revoke")
    assert "The key “shop” is revoked" in said
    assert "1 revoked" in said
    with transaction():
        assert api_keys.find_holder(digest(key)) is None
    assert developers.logged()[0] == "API key revoked"
    assert developers.browser.get(f"{BASE}/keys/{stored.id}/revoke").status_code == 404
    assert developers.browser.post(f"{BASE}/keys/{stored.id}/revoke").status_code == 404


def test_what_is_used_of_the_limit_is_what_was_counted(developers: Developers) -> None:
    broker = build_broker(developers.settings.redis_url)
    admissions = Admissions(broker)
    window = {"limit": 10_000, "window_seconds": 3600}
    for _ in range(3):
        admissions.admit(developers.organization.id, **window)
    admissions.admit(developers.organization.id, **window, kind=READS)
    broker.client.close()
    page = developers.read()
    assert "10,000 requests in 1 hour" in page
    assert "Sending events 3 of 10,000" in page
    assert "Reading over the API 1 of 10,000" in page


def test_without_redis_the_page_says_that_it_does_not_know(
    serve_dashboard: ServeDashboard, settings: Settings
) -> None:
    dashboard = serve_dashboard(queue_url="redis://127.0.0.1:1/0")
    organization = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (organization, "viewer"))
    assert "Redis does not respond" in text_of(browser.get(BASE))


# Webhooks


def test_a_webhook_is_added_with_what_it_is_told_of(developers: Developers) -> None:
    Tracked(developers.organization.id, NOW)
    page = developers.send(
        "/webhooks",
        url=" http://127.0.0.1:9/other ",
        events=["threshold_crossed"],
        statuses=["At Risk", "Critical"],
        companies=f"one\r\n\r\n {HOSTILE}\r\none",
        fields="plan=Enterprise\r\nplan=Free\r\ncompany.seats=4=2",
    )
    secret = shown_secret(page, "whsec_")
    with transaction():
        [_, added] = webhook_endpoints.list_for_organization(developers.organization.id)
    [stored] = added.encrypted_secrets
    assert webhook_endpoints.decrypt(stored, developers.settings.secret_keys) == secret
    assert added.url == "http://127.0.0.1:9/other"
    assert added.subscription == Subscription(
        ("threshold_crossed",),
        ("At Risk", "Critical"),
        ("one", HOSTILE),
        {"plan": ["Enterprise", "Free"], "seats": ["4=2"]},
    )
    shown = developers.browser.get(f"{BASE}/webhooks/{added.id}").text
    assert secret not in shown
    assert "plan=Enterprise\nplan=Free\nseats=4=2" in shown
    assert shown.count(" checked ") == 3
    action, subject, detail = developers.logged()
    assert (action, subject) == ("Webhook added", added.url)
    assert detail["statuses"] == ["At Risk", "Critical"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"url": ""}, "Enter a URL."),
        ({"url": "ftp://example.com"}, "is not a webhook URL"),
        ({"url": "http://10.1.2.3/hook"}, "resolves to 10.1.2.3, which is not public"),
        ({"url": "https://ann:secret@example.com/"}, "must not hold a user name"),
        ({"url": HOOK, "fields": "plan"}, "`plan` is not FIELD=VALUE."),
        ({"url": HOOK, "events": "nothing"}, "not a valid choice"),
    ],
)
def test_what_cannot_be_subscribed_is_refused_with_the_reason(
    developers: Developers, form: dict[str, str], said: str
) -> None:
    answer = developers.browser.post(f"{BASE}/webhooks", **form)
    assert answer.status_code == 422
    assert said in unescape(text_of(answer))
    with transaction():
        assert len(webhook_endpoints.list_for_organization(developers.organization.id)) == 1


def test_a_subscription_is_changed_and_emptied(developers: Developers) -> None:
    path = f"/webhooks/{developers.endpoint_id}/subscription"
    assert "was changed" in developers.send(path, companies="one", events="health_score_changed")
    assert developers.endpoint.subscription == Subscription(("health_score_changed",), None, ("one",), None)
    assert developers.logged()[2]["companies"] == ["one"]
    developers.send(path)
    assert developers.endpoint.subscription == Subscription()
    refused = developers.browser.post(BASE + path, fields="x")
    assert refused.status_code == 422
    assert developers.endpoint.subscription == Subscription()


def test_a_new_secret_is_shown_once_while_the_former_signs_for_the_chosen_time(
    developers: Developers,
) -> None:
    [former] = developers.endpoint.encrypted_secrets
    developers.dashboard.clock.at = query_now()
    developers.browser.sign_in("ann@acme.com")
    path = f"/webhooks/{developers.endpoint_id}/secret"
    page = developers.send(path, overlap="1 hour")
    secret = shown_secret(page, "whsec_")
    assert "For 1 hour the former secret signs as well." in page
    newest, kept = developers.endpoint.encrypted_secrets
    assert webhook_endpoints.decrypt(newest, developers.settings.secret_keys) == secret
    assert kept == former
    assert developers.logged()[0] == "Webhook secret rotated"
    assert "up to 7 days" in developers.send(path, overlap="8 days")
    assert developers.endpoint.encrypted_secrets == (newest, kept)


def query_now() -> Any:
    with transaction():
        return query("select now() as now")[0]["now"]


def test_a_webhook_is_disabled_enabled_and_removed(developers: Developers) -> None:
    path = f"/webhooks/{developers.endpoint_id}"
    page = developers.send(f"{path}/disable")
    assert "Its deliveries are kept" in page
    assert "disabled just now , by hand" in page
    assert endpoints.state(developers.endpoint) == "disabled"
    page = developers.send(f"{path}/enable")
    assert endpoints.state(developers.endpoint) == "active"
    assert "nothing sent yet" in page
    assert "what waits for it is cancelled" in developers.read(f"{path}/remove")
    assert "No webhooks yet" in developers.send(f"{path}/remove")
    assert developers.logged()[0] == "Webhook removed"
    assert developers.browser.get(BASE + path).status_code == 404


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("last_success_at = now()", "healthy"),
        ("failures = 2, failing_since = %(at)s", "failing since 2 hours ago"),
        (
            "failures = 5, failing_since = %(at)s, probe_at = %(soon)s, probe_pause = '30 s'",
            "circuit open failing since 2 hours ago",
        ),
        (
            "disabled_at = %(at)s, disabled_because = 'it failed for 5 days'",
            "disabled 2 hours ago , it failed for 5 days",
        ),
    ],
)
def test_how_an_endpoint_fares_is_said_in_the_list_and_on_its_page(
    developers: Developers, columns: str, said: str
) -> None:
    with transaction():
        execute(
            f"update webhook_endpoints set {columns}",
            {"at": NOW - timedelta(hours=2), "soon": NOW + timedelta(minutes=1)},
        )
    assert said in developers.read("/webhooks")
    assert said in developers.read(f"/webhooks/{developers.endpoint_id}")


def test_a_test_is_sent_and_its_page_waits_for_what_is_answered(developers: Developers) -> None:
    answer = developers.browser.post(f"{BASE}/webhooks/{developers.endpoint_id}/test")
    assert answer.status_code == 303
    assert developers.asked_for() == 1
    assert developers.logged()[0] == "Webhook tested"
    page = developers.browser.get(answer.location)
    assert "Sending." in text_of(page)
    assert f'hx-get="{answer.location}/attempts"' in page.text
    delivery_id = UUID(answer.location.rsplit("/", 1)[-1])
    with transaction():
        execute(
            "insert into delivery_attempts (delivery_id, attempt, organization_id, at, duration_ms,"
            " status_code, error, response) values (%(id)s, 1, %(org)s, %(at)s, 1234, 500,"
            " 'answered 500', %(response)s)",
            {
                "id": delivery_id,
                "org": developers.organization.id,
                "at": NOW,
                "response": HOSTILE,
            },
        )
        execute("update deliveries set state = 'failed', next_attempt_at = null")
    fragment = developers.browser.get(f"{answer.location}/attempts")
    assert "<html" not in fragment.text
    assert "hx-get" not in fragment.text
    said = unescape(text_of(fragment))
    assert "The test was not accepted: answered 500" in said
    assert "1,234 ms" in said
    assert HOSTILE in unescape(fragment.text)
    assert HOSTILE not in fragment.text


# Deliveries


def test_the_log_is_read_page_by_page_and_shows_each_delivery_once(developers: Developers) -> None:
    made = developers.deliver(120)
    seen: list[str] = []
    address = f"{BASE}/deliveries"
    while address:
        page = developers.browser.get(address).text
        seen += re.findall(r'/deliveries/([0-9a-f-]{36})"', page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = unescape(following[1]) if following else ""
    assert seen == [str(one) for one in made]


def test_the_log_is_filtered_by_state_endpoint_and_company(developers: Developers) -> None:
    tracked = Tracked(developers.organization.id, NOW)
    tracked.track(HOSTILE, 3)
    tracked.judge(HOSTILE)
    [failed] = developers.deliver(state="failed")
    with transaction():
        listed, _ = delivery_log.read_page(developers.organization.id, {"company": HOSTILE}, limit=9)
        everything, _ = delivery_log.read_page(developers.organization.id, {}, limit=9)
    [ours] = listed
    assert len(everything) == 2

    def found(**filters: object) -> list[str]:
        page = developers.browser.get(f"{BASE}/deliveries", query_string=filters).text
        return re.findall(r'/deliveries/([0-9a-f-]{36})"', page)

    assert found(company=HOSTILE) == [str(ours.id)]
    assert found(state="failed") == [str(failed)]
    assert len(found(webhook=developers.endpoint_id)) == 2
    assert found(webhook=uuid4()) == []
    assert found(company="nobody", state="failed") == []
    assert len(found(webhook="nonsense")) == 2
    assert developers.browser.get(f"{BASE}/deliveries?after=x").status_code == 404
    page = developers.browser.get(f"{BASE}/deliveries/{ours.id}")
    assert HOSTILE in unescape(text_of(page))
    assert "<b>" not in page.text


def test_a_delivery_is_sent_again_once_it_is_over(developers: Developers) -> None:
    [over], [waiting] = developers.deliver(), developers.deliver(state="waiting")
    said = developers.send(f"/deliveries/{over}/resend")
    assert "The delivery is being resent." in said
    assert developers.asked_for() == 1
    assert developers.logged()[:2] == ("Delivery sent again", "test for a test")
    said = developers.send(f"/deliveries/{waiting}/resend")
    assert "will be sent automatically" in said
    assert developers.asked_for() == 1
    assert developers.browser.post(f"{BASE}/deliveries/{uuid4()}/resend").status_code == 404


def test_what_failed_since_an_instant_is_sent_again(developers: Developers) -> None:
    tracked = Tracked(developers.organization.id, NOW)
    for company in ("one", "two"):
        tracked.track(company, 3)
        tracked.judge(company)
    with transaction():
        execute("update deliveries set state = 'failed', next_attempt_at = null, parked = false")
    path = f"/webhooks/{developers.endpoint_id}/recover"
    assert "No deliveries failed since then." in developers.send(path, since="2026-01-20T10:31")
    assert "Enter a start time" in developers.send(path, since="yesterday")
    assert "can be recovered from" in developers.send(path, since="2025-12-01T00:00")
    assert "2 failed deliveries are sent again." in developers.send(path, since="2026-01-20T10:00")
    action, _, detail = developers.logged()
    assert (action, detail["deliveries"]) == ("Deliveries recovered", 2)
    with transaction():
        assert delivery_log.count_recovering(developers.endpoint_id) == 2


def test_a_delivery_of_a_removed_webhook_stays_in_the_log(developers: Developers) -> None:
    [over] = developers.deliver()
    developers.send(f"/webhooks/{developers.endpoint_id}/remove")
    page = developers.read(f"/deliveries/{over}")
    assert "The webhook was removed." in page
    assert "Send again" not in page
    assert developers.browser.post(f"{BASE}/deliveries/{over}/resend").status_code == 404


def test_without_webhooks_the_pages_say_what_to_do_next(dashboard: Dashboard) -> None:
    organization = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (organization, "administrator"))
    assert "Add a URL below" in text_of(browser.get(f"{BASE}/webhooks"))
    assert "Nothing is sent until there is a webhook" in text_of(browser.get(f"{BASE}/deliveries"))


def test_pages_show_what_the_command_line_tells(
    developers: Developers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", developers.settings.database_url)
    monkeypatch.setenv("REDIS_URL", developers.settings.redis_url)
    monkeypatch.setenv("BRAZEBEE_SECRET_KEY", ",".join(developers.settings.secret_keys))
    developers.send("/keys", name="shop")
    developers.deliver(2)
    developers.deliver(state="failed")

    def told(*command: str) -> list[dict[str, Any]]:
        result = CliRunner().invoke(main, [*command, "--org", "acme", "--json"])
        assert result.exit_code == 0, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found

    [key] = told("keys", "list")
    assert f"shop {key['key'].replace('...', '…')} " in developers.read()
    [webhook] = told("webhooks", "list")
    assert webhook["url"] in developers.read("/webhooks")
    for state in ("delivered", "failed"):
        page = developers.browser.get(f"{BASE}/deliveries?state={state}").text
        shown = re.findall(r'/deliveries/([0-9a-f-]{36})"', page)
        assert shown == [one["id"] for one in told("deliveries", "list", "--state", state)]
