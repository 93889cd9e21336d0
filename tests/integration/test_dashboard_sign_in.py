"""Signing in and out, sessions, and what is refused."""

from dashboard_serving import Dashboard, text_of


def test_with_email_and_password_somebody_comes_to_their_organization(
    dashboard: Dashboard,
) -> None:
    acme = dashboard.organization("acme")
    dashboard.person("ann@acme.com", [(acme, "viewer")])
    browser = dashboard.browser()
    signed_in = browser.sign_in("Ann@ACME.com ")
    assert (signed_in.status_code, signed_in.location) == (303, "/")
    start = browser.client.get("/", follow_redirects=True)
    assert start.status_code == 200
    assert start.request.path == "/o/acme/companies"
    assert "No company yet" in text_of(start)
