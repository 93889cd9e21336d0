"""What a change of BRAZEBEE_SECRET_KEY, which signs cookies, means for people who are signed in."""

import pytest
from cryptography.fernet import Fernet

from tests.support.dashboard.application import ServeDashboard

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def answers(serve_dashboard: ServeDashboard, *keys: tuple[str, ...]) -> list[int]:
    """Submit a form that was opened with the first keys to a dashboard with each of the others."""
    first, *later = (serve_dashboard(secret_keys=k) for k in keys)
    browser = first.signed_in("ann@acme.com")
    codes = []
    for dashboard in later:
        dashboard.clock.at = first.clock.at
        client = dashboard.browser().client
        client._cookies = browser.client._cookies  # noqa: SLF001 -- the cookies of one browser
        form = {"name": "Ann", "csrf_token": browser.token}
        codes += [
            client.get("/account").status_code,
            client.post("/account/name", data=form).status_code,
        ]
    return codes


@pytest.mark.parametrize("later", [(OLD, NEW), (NEW, OLD)])
def test_open_forms_stay_valid_while_both_keys_are_set(
    serve_dashboard: ServeDashboard, later: tuple[str, ...]
) -> None:
    assert answers(serve_dashboard, (OLD,), later) == [200, 303]


def test_a_form_is_valid_in_processes_with_either_order_of_keys(
    serve_dashboard: ServeDashboard,
) -> None:
    assert answers(serve_dashboard, (NEW, OLD), (OLD, NEW)) == [200, 303]


def test_without_the_old_key_a_form_is_opened_again_but_nobody_is_signed_out(
    serve_dashboard: ServeDashboard,
) -> None:
    assert answers(serve_dashboard, (OLD,), (NEW,)) == [200, 400]
