"""Settings -> People and Settings -> Audit log, the account, and the first administrator."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from config.settings import Settings
from models.database import transaction
from models.organizations import audit_log
from models.organizations.audit_log import Change
from models.organizations.organizations import Organization
from models.people import memberships, people
from services.accounts import people as account_changes
from services.accounts.audit import Maker
from services.accounts.first_administrator import make_first_administrator
from services.accounts.people import ChangeRefused
from tests.support.dashboard.application import NOW, PASSWORD, Dashboard, text_of

PEOPLE = "/o/acme/settings/people"
AUDIT = "/o/acme/settings/audit"
SHOWN = re.compile(r'<code id="secret">([^<]+)</code>')


def logged(organization: Organization) -> list[tuple[str, str, str]]:
    """Return the audit log without sign-ins, oldest first: who, action, and subject."""
    with transaction():
        entries = audit_log.read_page(organization.id, limit=100)
    listed = [(e.made_by, e.action, e.subject) for e in reversed(entries)]
    return [entry for entry in listed if entry[1] != "Signed in"]


def roles(organization: Organization) -> dict[str, str]:
    with transaction():
        return {m.email: m.role for m in memberships.list_for_organization(organization.id)}


def id_of(email: str) -> int:
    with transaction():
        person = people.find(email)
    assert person is not None
    return person.id


def shown_password(page: TestResponse) -> str:
    [password] = SHOWN.findall(page.text)
    return str(password)


def test_a_new_person_signs_in_with_the_password_that_is_shown_once(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    browser.get(PEOPLE)
    added = browser.post(PEOPLE, email=" Bob@acme.com ", name="Bob B.", role="editor")
    assert added.status_code == 200
    password = shown_password(added)
    assert re.fullmatch(r"[2-9a-z]{5}(-[2-9a-z]{5}){3}", password)
    assert added.headers["Cache-Control"] == "no-store"
    listed = browser.get(PEOPLE)
    assert "Bob B." in text_of(listed)
    assert password not in listed.text
    assert dashboard.browser().sign_in("bob@acme.com", password).status_code == 303
    assert roles(acme) == {"ann@acme.com": "administrator", "Bob@acme.com": "editor"}
    assert logged(acme) == [("ann@acme.com", "Person added", "Bob@acme.com")]


def test_a_person_of_another_organization_keeps_their_password(dashboard: Dashboard) -> None:
    acme, other = dashboard.organization("acme"), dashboard.organization("other")
    dashboard.person("bob@acme.com", [(other, "viewer")])
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    browser.get(PEOPLE)
    added = browser.post(PEOPLE, email="BOB@acme.com", name="Somebody else", role="viewer")
    assert added.location == PEOPLE
    page = text_of(browser.get(PEOPLE))
    assert "bob@acme.com is now a member and signs in as before." in page
    assert "Somebody else" not in page
    assert dashboard.browser().sign_in("bob@acme.com", PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"email": "", "role": "viewer"}, "Enter an email."),
        ({"email": "bob", "role": "viewer"}, " bob is not an email address."),
        ({"email": "b\u202e@acme.com", "role": "viewer"}, "is not an email address."),
        ({"email": "bob@acme.com", "role": "owner"}, "Not a valid choice."),
        ({"email": "bob@acme.com", "role": "viewer", "name": "x" * 201}, "at most 200 characters"),
        ({"email": "ann@acme.com", "role": "viewer"}, "is a member of acme already."),
    ],
)
def test_errors_about_a_new_person_are_shown_and_the_entries_kept(
    dashboard: Dashboard, form: dict[str, str], message: str
) -> None:
    acme = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    browser.get(PEOPLE)
    refused = browser.post(PEOPLE, **form)
    assert refused.status_code == 422
    assert message in text_of(refused)
    assert 'aria-invalid="true"' in refused.text
    assert roles(acme) == {"ann@acme.com": "administrator"}
    assert logged(acme) == []


def test_a_changed_role_applies_from_the_next_request(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    bob = dashboard.signed_in("bob@acme.com", (acme, "viewer"))
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    assert bob.get(PEOPLE).status_code == 403
    address = f"{PEOPLE}/{id_of('bob@acme.com')}/role"
    assert browser.post(address, role="administrator").location == PEOPLE
    assert "bob@acme.com is now an administrator." in text_of(browser.get(PEOPLE))
    assert bob.get(PEOPLE).status_code == 200
    assert browser.post(address, role="owner").status_code == 400
    assert logged(acme) == [("ann@acme.com", "Role changed", "bob@acme.com")]
    page = text_of(browser.get(AUDIT))
    assert "was: viewer, role: administrator" in page


def test_the_last_administrator_cannot_be_removed(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    disabled = dashboard.person("gone@acme.com", [(acme, "administrator")])
    with transaction():
        people.disable(disabled.id, NOW)
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    me = id_of("ann@acme.com")
    for change, form in (("role", {"role": "viewer"}), ("remove", {}), ("disable", {})):
        assert browser.post(f"{PEOPLE}/{me}/{change}", **form).location == PEOPLE
        assert "ann@acme.com is the last administrator of" in text_of(browser.get(PEOPLE))
    assert roles(acme)["ann@acme.com"] == "administrator"
    assert logged(acme) == []


def test_two_administrators_cannot_demote_each_other_concurrently(
    dashboard: Dashboard,
) -> None:
    acme = dashboard.organization("acme")
    both = [
        dashboard.person(email, [(acme, "administrator")]) for email in ("a@acme.com", "b@acme.com")
    ]

    def demote(person: people.Person) -> bool:
        try:
            with transaction():
                account_changes.remove(acme, person, maker=Maker("test"), at=NOW)
        except ChangeRefused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(demote, both)) == [False, True]


def test_a_removed_member_loses_access_at_once_but_keeps_other_organizations(
    dashboard: Dashboard,
) -> None:
    acme, other = dashboard.organization("acme"), dashboard.organization("other")
    bob = dashboard.signed_in("bob@acme.com", (acme, "viewer"), (other, "viewer"))
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    browser.post(f"{PEOPLE}/{id_of('bob@acme.com')}/remove")
    assert bob.get("/o/acme/companies").status_code == 404
    assert bob.get("/o/other/companies").status_code == 200
    assert logged(acme) == [("ann@acme.com", "Person removed", "bob@acme.com")]
    assert logged(other) == []


def test_a_disabled_person_is_signed_out_until_they_are_enabled(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    bob = dashboard.signed_in("bob@acme.com", (acme, "viewer"))
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    address = f"{PEOPLE}/{id_of('bob@acme.com')}"
    browser.post(f"{address}/disable")
    assert "disabled" in text_of(browser.get(PEOPLE))
    assert bob.client.get("/account").status_code == 303
    assert dashboard.browser().sign_in("bob@acme.com").status_code == 422
    browser.post(f"{address}/enable")
    assert bob.client.get("/account").status_code == 303
    assert dashboard.browser().sign_in("bob@acme.com").status_code == 303
    assert [entry[1] for entry in logged(acme)] == ["Person disabled", "Person enabled"]


def test_a_reset_password_replaces_the_old_one(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    bob = dashboard.signed_in("bob@acme.com", (acme, "viewer"))
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    reset = browser.post(f"{PEOPLE}/{id_of('bob@acme.com')}/password")
    password = shown_password(reset)
    assert bob.client.get("/account").status_code == 303
    assert dashboard.browser().sign_in("bob@acme.com").status_code == 422
    assert dashboard.browser().sign_in("bob@acme.com", password).status_code == 303
    assert logged(acme) == [("ann@acme.com", "Password changed", "bob@acme.com")]


@pytest.mark.parametrize("change", ["password", "disable", "enable"])
def test_an_administrator_cannot_control_members_of_other_organizations(
    dashboard: Dashboard, change: str
) -> None:
    acme, other = dashboard.organization("acme"), dashboard.organization("other")
    bob = dashboard.signed_in("bob@acme.com", (acme, "viewer"), (other, "viewer"))
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"), (other, "editor"))
    address = f"{PEOPLE}/{id_of('bob@acme.com')}/{change}"
    refused = browser.post(address)
    assert refused.location == PEOPLE
    assert "also belongs to organizations" in text_of(browser.get(PEOPLE))
    assert bob.client.get("/account").status_code == 200
    ann = id_of("ann@acme.com")
    with transaction():
        memberships.set_role(other.id, ann, "administrator")
    browser.post(address)
    assert "also belongs to organizations" not in text_of(browser.get(PEOPLE))


@pytest.mark.parametrize("change", ["role", "remove", "password", "disable", "enable"])
def test_people_of_another_organization_cannot_be_changed(
    dashboard: Dashboard, change: str
) -> None:
    acme, other = dashboard.organization("acme"), dashboard.organization("other")
    bob = dashboard.signed_in("bob@acme.com", (other, "viewer"))
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    address = f"{PEOPLE}/{id_of('bob@acme.com')}/{change}"
    assert browser.post(address, role="viewer").status_code == 404
    assert browser.post(f"{PEOPLE}/999999/{change}", role="viewer").status_code == 404
    assert bob.client.get("/account").status_code == 200


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_only_administrators_see_and_change_people_and_read_the_log(
    dashboard: Dashboard, role: str
) -> None:
    acme = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (acme, role))
    me = id_of("ann@acme.com")
    assert browser.get(PEOPLE).status_code == 403
    assert browser.get(AUDIT).status_code == 403
    assert browser.post(PEOPLE, email="bob@acme.com", role="administrator").status_code == 403
    assert browser.post(f"{PEOPLE}/{me}/role", role="administrator").status_code == 403
    assert roles(acme) == {"ann@acme.com": role}


def test_entered_text_is_escaped(dashboard: Dashboard) -> None:
    acme = dashboard.organization('<b>"acme"')
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    start = browser.client.get("/", follow_redirects=True)
    [developers] = set(re.findall(r'href="([^"]+/settings/developers)"', start.text))
    there = browser.client.get(developers, follow_redirects=True)
    [settings] = set(re.findall(r'href="([^"]+/settings/people)"', there.text))
    browser.get(settings)
    browser.post(settings, email="bob@acme.com", name='<script>alert("x")</script>', role="viewer")
    page = browser.get(settings).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert '<b>"acme"' not in page


def test_the_audit_log_is_paged_and_filtered(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    with transaction():
        for number in range(120):
            maker = "ann@acme.com" if number % 3 else "command line"
            audit_log.add(acme.id, Change(
                person_id=None, made_by=maker, at=NOW, action="Even" if number % 2 == 0 else "Odd",
                subject=f"thing {number}.", detail={"n": number},
            ))  # fmt: skip
    browser = dashboard.signed_in("root@acme.com", (acme, "administrator"))

    def seen(address: str) -> list[int]:
        return [int(n) for n in re.findall(r"thing (\d+)\.", browser.get(address).text)]

    first = browser.get(AUDIT).text
    assert seen(AUDIT) == list(range(119, 70, -1))
    [older] = re.findall(r'href="([^"]+)" rel="next"', first)
    assert seen(older.replace("&amp;", "&")) == list(range(70, 20, -1))
    odd = [n for n in range(119, -1, -1) if n % 2 and not n % 3]
    assert seen(f"{AUDIT}?person=command+line&action=Odd") == odd
    assert "No changes to show" in text_of(browser.get(f"{AUDIT}?person=nobody"))
    assert seen(f"{AUDIT}?before=nonsense") == seen(AUDIT)
    assert seen(f"{AUDIT}?before=99999999999999999999") == seen(AUDIT)


def test_the_audit_log_shows_only_its_organization(dashboard: Dashboard) -> None:
    acme, other = dashboard.organization("acme"), dashboard.organization("other")
    dashboard.signed_in("bob@acme.com", (other, "administrator"))
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    assert "bob@acme.com" not in browser.get(AUDIT).text


def test_people_change_their_own_name(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (acme, "viewer"))
    assert browser.post("/account/name", name="  Ann O'Brien ").location == "/account"
    assert "Your name was changed." in text_of(browser.get("/account"))
    assert logged(acme) == [("ann@acme.com", "Name changed", "ann@acme.com")]
    for wrong, message in (("", "Enter a name."), ("a\nb", "Use one line of plain text.")):
        refused = browser.post("/account/name", name=wrong)
        assert refused.status_code == 422
        assert message in text_of(refused)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"current": "wrong horse battery"}, "Your current password is incorrect."),
        ({"current": ""}, "Enter your current password."),
        ({"new": "short", "again": "short"}, "at least 12 characters"),
        ({"new": "x" * 201, "again": "x" * 201}, "at most 200 characters"),
        ({"new": "ann.long@acme.com", "again": "ann.long@acme.com"}, "must not be the email"),
        ({"new": "aaaaaaaaaaaaaaa", "again": "aaaaaaaaaaaaaaa"}, "repeats too few characters"),
        ({"again": "another horse battery"}, "The new passwords do not match."),
    ],
)
def test_an_invalid_password_is_rejected_with_the_reason(
    dashboard: Dashboard, form: dict[str, str], message: str
) -> None:
    browser = dashboard.signed_in("ann.long@acme.com")
    new = "staple of words"
    refused = browser.post(
        "/account/password", **{"current": PASSWORD, "new": new, "again": new, **form}
    )
    assert refused.status_code == 422
    assert message in text_of(refused)
    assert dashboard.browser().sign_in("ann.long@acme.com").status_code == 303


def test_the_current_password_cannot_be_guessed_on_the_account_page(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    form = {"new": "staple of words", "again": "staple of words"}
    for _ in range(10):
        assert browser.post("/account/password", current="wrong", **form).status_code == 422
    assert browser.post("/account/password", current=PASSWORD, **form).status_code == 429


def test_the_first_administrator_administers_every_organization(
    dashboard: Dashboard, settings: Settings
) -> None:
    for name in ("acme", "other"):
        dashboard.organization(name)
    with transaction():
        first = make_first_administrator("admin@localhost", maker=Maker("first start"), at=NOW)
    assert first is not None
    assert first.password not in repr(first)
    browser = dashboard.browser()
    assert browser.sign_in("admin@localhost", first.password).status_code == 303
    for name in ("acme", "other"):
        assert browser.get(f"/o/{name}/settings/people").status_code == 200
    with transaction():
        again = make_first_administrator("admin@localhost", maker=Maker("first start"), at=NOW)
    assert again is None


def test_no_first_administrator_is_created_if_there_are_people_or_no_organizations(
    dashboard: Dashboard,
) -> None:
    with transaction():
        assert make_first_administrator("a@localhost", maker=Maker("x"), at=NOW) is None
    dashboard.person("ann@acme.com")
    dashboard.organization("acme")
    with transaction():
        assert make_first_administrator("a@localhost", maker=Maker("x"), at=NOW) is None
