"""Which owners of companies a member is: under People, Your account, and in Mine."""

import re

import pytest

from models.database import transaction
from models.organizations import audit_log
from models.people import people
from services.accounts import owners
from tests.support.dashboard.application import NOW, Dashboard, text_of, without_isolation
from tests.support.dashboard.customers import RULES, Customers

OWN = "/o/acme/settings/owners"


class Acme:
    """An organization with owned companies, an administrator Ann, and a viewer Bob."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.organization = dashboard.organization("acme")
        customers = Customers(self.organization, f"{RULES}team: {{owner: company.csm}}\n")
        for company, owner in (("a", "ann@acme.com"), ("b", "Ann B."), ("c", "BOB"), ("d", "bob")):
            customers.track_days_ago(company, 1, csm=owner)
        customers.judge()
        self.ann = dashboard.signed_in("ann@acme.com", (self.organization, "administrator"))
        self.bob = dashboard.signed_in("bob@acme.com", (self.organization, "viewer"))
        with transaction():
            person = people.find("bob@acme.com")
        assert person
        self.bobs = f"/o/acme/settings/people/{person.id}/owners"

    def person_of(self, owner: str) -> str | None:
        with transaction():
            person = owners.find_person(self.organization.id, owner)
        return person and person.email

    def changes(self) -> list[tuple[str, str, object]]:
        with transaction():
            entries = audit_log.read_page(self.organization.id, action="Owners changed", limit=9)
        return [(e.made_by, e.subject, e.detail["owners"]) for e in reversed(entries)]


@pytest.fixture
def acme(dashboard: Dashboard) -> Acme:
    return Acme(dashboard)


def current(page: str) -> list[str]:
    """Return the links of the navigation that are current."""
    return re.findall(r'aria-current="page"[^>]*>\s*([^<]+)</a>', page)


def mine(browser: object) -> list[str]:
    page = browser.get("/o/acme/companies?owner=me&sort=name")  # type: ignore[attr-defined]
    markup = without_isolation(page.text)
    return re.findall(r'<th scope="row"><a href="/o/acme/companies/([^"?]*)[?"]', markup)


def test_an_administrator_sets_owners_of_a_member_which_mine_finds(acme: Acme) -> None:
    page = acme.ann.get(acme.bobs)
    assert "Ann B. 1 company" in text_of(page)
    assert re.search(r"(BOB|bob) 2 companies", text_of(page))
    assert mine(acme.bob) == []
    assert current(page.text) == current(acme.ann.get(OWN).text) == ["Settings", "People"]
    saved = acme.ann.post(acme.bobs, owners="Robert\n\n robert \nBOB@acme.com", offered=["bob"])
    assert saved.location == "/o/acme/settings/people"
    assert mine(acme.bob) == ["c", "d"]
    assert acme.changes() == [("ann@acme.com", "bob@acme.com", ["Robert", "bob"])]
    assert "Robert bob" in text_of(acme.ann.get("/o/acme/settings/people"))
    acme.ann.post(acme.bobs, owners="Robert\nbob")
    assert len(acme.changes()) == 1  # nothing has changed


def test_everybody_sets_their_own_owners(acme: Acme) -> None:
    assert current(acme.bob.get(OWN).text) == ["Settings"]
    assert acme.bob.post(OWN, owners="bob").location == OWN
    assert mine(acme.bob) == ["c", "d"]
    assert "acme bob Change" in text_of(acme.bob.get("/account"))
    assert acme.bob.post(acme.bobs, owners="Ann B.").status_code == 403


def test_an_owner_means_one_member(acme: Acme, dashboard: Dashboard) -> None:
    acme.ann.get(OWN)
    acme.ann.post(OWN, owners="Ann B.")
    acme.bob.get(OWN)
    for taken in ("ANN B.", "Ann@acme.com"):
        refused = acme.bob.post(OWN, owners=f"bob\n{taken}")
        assert refused.status_code == 422
        assert f"{taken} is already a name of ann@acme.com." in text_of(refused)
        assert f"bob\n{taken}</textarea>" in refused.text
    assert acme.person_of("ann b.") == "ann@acme.com"
    assert acme.person_of("BOB@acme.com") == "bob@acme.com"
    assert acme.person_of("bob") is None
    other = dashboard.organization("other")
    with transaction():
        assert owners.find_people(other.id, ["Ann B."]) == {}
        ann = people.find("ann@acme.com")
        assert ann
        people.disable(ann.id, NOW)
    assert acme.person_of("Ann B.") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n".join(map(str, range(21))), "21 names are too many; the most are 20."),
        ("x" * 201, "A name has at most 200 characters."),
        ("a\u202eb", "Use plain text, one name on each line."),
    ],
)
def test_unusable_owners_are_refused(acme: Acme, text: str, message: str) -> None:
    acme.bob.get(OWN)
    refused = acme.bob.post(OWN, owners=text)
    assert refused.status_code == 422
    assert message in text_of(refused)
    assert acme.changes() == []
