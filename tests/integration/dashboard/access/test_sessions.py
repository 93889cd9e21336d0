"""How long a session lasts, and what ends it."""

from models.database import query, transaction
from models.people import people
from tests.support.dashboard.application import NOW, PASSWORD, Browser, Dashboard, text_of


def is_signed_in(browser: Browser) -> bool:
    return browser.client.get("/account").status_code == 200


def count_sessions() -> int:
    with transaction():
        return len(query("select id from sessions"))


def test_a_session_in_use_lasts_seven_days(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    for _ in range(15):
        dashboard.clock.advance(hours=11)
        assert is_signed_in(browser)
    dashboard.clock.at = NOW
    dashboard.clock.advance(days=7, seconds=-1)
    assert is_signed_in(browser)
    dashboard.clock.advance(seconds=1)
    assert not is_signed_in(browser)


def test_an_idle_session_ends_after_twelve_hours(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    dashboard.clock.advance(hours=11, minutes=59)
    assert is_signed_in(browser)
    dashboard.clock.advance(hours=12, seconds=-1)
    assert is_signed_in(browser)
    dashboard.clock.advance(hours=12)
    assert not is_signed_in(browser)


def test_use_of_a_session_is_recorded_at_most_once_a_minute(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")

    def last_seen_at() -> object:
        with transaction():
            return query("select last_seen_at from sessions")[0]["last_seen_at"]

    dashboard.clock.advance(seconds=59)
    is_signed_in(browser)
    assert last_seen_at() == NOW
    dashboard.clock.advance(seconds=1)
    is_signed_in(browser)
    assert last_seen_at() == dashboard.clock.at


def test_signing_in_again_sets_a_new_token_and_ends_the_former_session(
    dashboard: Dashboard,
) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    former = browser.client.get_cookie("brazebee_session")
    assert former is not None
    assert browser.post("/sign-in", email="ann@acme.com", password=PASSWORD).status_code == 303
    current = browser.client.get_cookie("brazebee_session")
    assert current is not None
    assert current.value != former.value
    assert count_sessions() == 1


def test_a_planted_token_is_replaced_at_sign_in(dashboard: Dashboard) -> None:
    dashboard.person("ann@acme.com")
    browser = dashboard.browser()
    browser.client.set_cookie("brazebee_session", "planted")
    browser.sign_in("ann@acme.com")
    token = browser.client.get_cookie("brazebee_session")
    assert token is not None
    assert token.value != "planted"


def test_signing_out_ends_the_session_and_its_cookie(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    stolen = browser.client.get_cookie("brazebee_session")
    assert stolen is not None
    response = browser.post("/sign-out")
    assert (response.status_code, response.location) == (303, "/sign-in")
    assert "You are signed out." in text_of(browser.get("/sign-in"))
    assert browser.client.get_cookie("brazebee_session") is None
    browser.client.set_cookie("brazebee_session", stolen.value)
    assert not is_signed_in(browser)
    assert count_sessions() == 0


def test_signing_out_everywhere_ends_all_sessions_of_that_person_only(
    dashboard: Dashboard,
) -> None:
    acme = dashboard.organization("acme")
    other = dashboard.signed_in("bob@acme.com")
    here = dashboard.signed_in("ann@acme.com", (acme, "viewer"))
    there = dashboard.browser("10.0.0.9")
    there.sign_in("ann@acme.com")
    assert here.post("/account/sessions/end").location == "/sign-in"
    assert not is_signed_in(here)
    assert not is_signed_in(there)
    assert is_signed_in(other)


def test_a_person_can_sign_out_their_own_other_browser_only(dashboard: Dashboard) -> None:
    bob = dashboard.signed_in("bob@acme.com")
    here = dashboard.signed_in("ann@acme.com")
    there = dashboard.browser("10.0.0.9", HTTP_USER_AGENT="Mozilla/5.0 (iPhone) Safari/1")
    there.sign_in("ann@acme.com")
    page = text_of(here.get("/account"))
    assert "Safari on iPhone" in page
    assert "10.0.0.9" in page
    with transaction():
        ids = [row["id"] for row in query("select id from sessions order by id")]
    assert here.post(f"/account/sessions/{ids[0]}/end").status_code == 404
    assert here.post(f"/account/sessions/{ids[2]}/end").location == "/account"
    assert is_signed_in(bob)
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert here.post(f"/account/sessions/{ids[1]}/end").location == "/sign-in"
    assert not is_signed_in(here)


def test_disabling_a_person_ends_their_sessions_immediately(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    with transaction():
        person = people.find("ann@acme.com")
        assert person is not None
        people.disable(person.id, NOW)
    assert not is_signed_in(browser)


def test_a_changed_password_ends_every_other_session(dashboard: Dashboard) -> None:
    here = dashboard.signed_in("ann@acme.com")
    there = dashboard.browser()
    there.sign_in("ann@acme.com")
    before = here.client.get_cookie("brazebee_session")
    changed = here.post(
        "/account/password", current=PASSWORD, new="staple of words", again="staple of words"
    )
    assert changed.location == "/account"
    after = here.client.get_cookie("brazebee_session")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert dashboard.browser().sign_in("ann@acme.com").status_code == 422
    assert dashboard.browser().sign_in("ann@acme.com", "staple of words").status_code == 303


def test_expired_sessions_are_deleted_at_the_next_sign_in(dashboard: Dashboard) -> None:
    dashboard.signed_in("ann@acme.com")
    dashboard.clock.advance(days=8)
    dashboard.signed_in("bob@acme.com")
    assert count_sessions() == 1
