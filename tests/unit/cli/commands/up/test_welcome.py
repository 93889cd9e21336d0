"""What `brazebee up` prints: the ways in after the first start, with the real address."""

from cli.commands.up.first_start import FirstStart
from cli.commands.up.welcome import LOOPBACK, welcome
from services.accounts.first_administrator import FirstAdministrator

FIRST = FirstStart("bzb_secret", "login", FirstAdministrator("ann@acme.com", "pass-word"))
API, DASHBOARD = "http://127.0.0.1:8123", "http://127.0.0.1:8124"


def test_the_first_start_shows_three_ways_in_with_the_real_address() -> None:
    text = welcome(API, DASHBOARD, {"BRAZEBEE_WEBHOOK_ALLOW_NETS": LOOPBACK}, FIRST)
    assert (
        f"Segment, RudderStack or PostHog in your application: set the SDK's host to\n  {API}"
        in text
    )
    assert "\nbrazebee import events events.csv\nbrazebee import companies companies.csv\n" in text
    assert f"\ncurl -X POST {API}/v1/track -H 'x-api-key: bzb_secret'" in text
    assert f"{DASHBOARD} shows each way step by step" in text
    assert "8000" not in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("curl")) < 90
    assert len(text.splitlines()) < 35


def test_applications_are_told_the_address_that_they_reach() -> None:
    public = {
        "BRAZEBEE_INGRESS_URL": "https://events.acme.com/",
        "BRAZEBEE_DASHBOARD_URL": "https://health.acme.com",
    }
    text = welcome(API, DASHBOARD, public, FIRST)
    assert f"Brazebee is ready at {API}" in text
    assert "set the SDK's host to\n  https://events.acme.com and" in text
    assert "curl -X POST https://events.acme.com/v1/track " in text
    assert "https://health.acme.com shows each way step by step" in text


def test_without_a_dashboard_or_events_the_rest_remains() -> None:
    text = welcome(API, None, {}, FirstStart("bzb_secret"))
    assert "brazebee import" in text
    assert "curl" not in text
    assert "step by step" not in text


def test_a_later_start_is_short() -> None:
    text = welcome(API, DASHBOARD, {}, FirstStart())
    assert text.splitlines() == [
        "",
        f"Brazebee is ready at {API}",
        f"The dashboard is at {DASHBOARD}",
        "For another API key, run: brazebee keys create",
    ]
