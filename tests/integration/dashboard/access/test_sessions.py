"""How long somebody stays signed in, and what ends it."""

from models.database import query, transaction
from models.people import people
from tests.support.dashboard import NOW, PASSWORD, Browser, Dashboard, text_of


def is_signed_in(browser: Browser) -> bool:
    return browser.client.get("/account").status_code == 200


def count_sessions() -> int:
    with transaction():
        return len(query("select id from sessions"))


def test_a_session_that_is_used_goes_on_until_its_last_day(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    for _ in range(15):
        dashboard.clock.advance(hours=11)
        assert is_signed_in(browser)
    dashboard.clock.at = NOW
    dashboard.clock.advance(days=7, seconds=-1)
    assert is_signed_in(browser)
    dashboard.clock.advance(seconds=1)
    assert not is_signed_in(browser)


def test_a_session_that_is_left_alone_ends_after_twelve_hours(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    dashboard.clock.advance(hours=11, minutes=59)
    assert is_signed_in(browser)
    dashboard.clock.advance(hours=12, seconds=-1)
    assert is_signed_in(browser)
    dashboard.clock.advance(hours=12)
    assert not is_signed_in(browser)


def test_use_is_noted_at_most_once_a_minute(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")

    def seen() -> object:
        with transaction():
            return query("select last_seen_at from sessions")[0]["last_seen_at"]

    dashboard.clock.advance(seconds=59)
    is_signed_in(browser)
    assert seen() == NOW
    dashboard.clock.advance(seconds=1)
    is_signed_in(browser)
    assert seen() == dashboard.clock.at


def test_signing_in_again_brings_a_new_token_and_ends_the_former(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    former = browser.client.get_cookie("brazebee_session")
    assert former is not None
    assert browser.post("/sign-in", email="ann@acme.com", password=PASSWORD).status_code == 303
    now = browser.client.get_cookie("brazebee_session")
    assert now is not None
    assert now.value != former.value
    assert count_sessions() == 1


def test_a_token_that_somebody_planted_is_not_the_one_that_is_used(dashboard: Dashboard) -> None:
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
    out = browser.post("/sign-out")
    assert (out.status_code, out.location) == (303, "/sign-in")
    assert "You are signed out." in text_of(browser.get("/sign-in"))
    assert browser.client.get_cookie("brazebee_session") is None
    browser.client.set_cookie("brazebee_session", stolen.value)
    assert not is_signed_in(browser)
    assert count_sessions() == 0


def test_signing_out_everywhere_ends_all_sessions_of_the_person_alone(
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


def test_one_other_browser_can_be_signed_out_but_nobody_elses(dashboard: Dashboard) -> None:
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


def test_disabling_a_person_ends_their_sessions_at_once(dashboard: Dashboard) -> None:
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


def test_ended_sessions_are_forgotten_when_somebody_signs_in(dashboard: Dashboard) -> None:
    dashboard.signed_in("ann@acme.com")
    dashboard.clock.advance(days=8)
    dashboard.signed_in("bob@acme.com")
    assert count_sessions() == 1
