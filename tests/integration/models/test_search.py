"""The search for companies, users and event keys."""

from unittest.mock import patch

import pytest

from models.companies import company_list
from models.database import query
from models.search import search
from tests.support.companies.lists import ListCompany, add, matches, organization

pytestmark = pytest.mark.usefixtures("in_transaction")


@pytest.fixture
def o() -> int:
    """An organization with companies, users and event keys; another one has the same."""
    for name in ("other", "o"):
        o = organization(name)
        acme, zoe, other = add(
            o,
            ListCompany("co_1", "Acme Freight", traits={"website": "https://www.acme.io/de"}),
            ListCompany("zo-2", "Zoë & Søn", crm_provider="hubspot", traits={"domain": 5}),
            ListCompany("co_3", "Dr. Acme"),
        )
        query(
            "update companies set crm_provider_id = '0017Q00', payment_provider_id = 'cus_9'"
            " where organization_id = %(o)s and id = %(id)s",
            {"o": o, "id": zoe},
        )
        for number, (company, email) in enumerate(
            ((acme, "Ann@Initech.com"), (zoe, "bob@initech.com.au"), (other, None))
        ):
            query(
                "insert into users (organization_id, external_id, company_id, company_at, email,"
                " first_seen_at) values (%(o)s, %(id)s, %(company)s, now(), %(email)s, now())",
                {"o": o, "id": f"u{number}", "company": company, "email": email},
            )
        for key, shown, called in (("login", "Signed in", []), ("report", "Rép", ["Report Made"])):
            query(
                "insert into event_settings (organization_id, event_key, name, enabled, called)"
                " values (%(o)s, %(key)s, %(shown)s, true, %(called)s)",
                {"o": o, "key": key, "shown": shown, "called": called},
            )
    return o


@pytest.mark.parametrize(
    ("text", "companies", "users", "event_keys"),
    [
        ("ACME", ["co_1", "co_3"], [], []),
        ("zoe", ["zo-2"], [], []),
        ("& son", ["zo-2"], [], []),
        ("co_", ["co_1", "co_3"], [], []),
        ("acme.io", ["co_1"], [], []),
        ("0017q", ["zo-2"], [], []),
        ("cus_9", ["zo-2"], [], []),
        ("initech.com", ["co_1", "zo-2"], ["u0", "u1"], []),
        ("ann@INI", ["co_1"], ["u0"], []),
        ("an", [], ["u0"], []),
        ("u2", [], ["u2"], []),
        ("sign", [], [], ["login"]),
        ("rep", [], [], ["report"]),
        ("report made", [], [], ["report"]),
        (" login ", [], [], ["login"]),
        ("%", [], [], []),
        ("", [], [], []),
    ],
)
def test_a_text_finds_companies_users_and_event_keys(
    o: int, text: str, companies: list[str], users: list[str], event_keys: list[str]
) -> None:
    found = search(o, text)
    assert [company.id for company in found.companies] == companies
    assert [user.id for user in found.users] == users
    assert [key.event_key for key in found.event_keys] == event_keys
    if text:
        for few in (0, company_list.FEW):
            with patch.object(company_list, "FEW", few):
                assert sorted(matches(o, text=text.strip())) == sorted(companies)


def test_names_that_begin_with_the_text_come_first_and_the_number_is_limited(o: int) -> None:
    add(o, *(ListCompany(f"n{n}", f"A {n} of Acme") for n in range(9)))
    assert [company.name for company in search(o, "acme", limit=3).companies] == [
        "Acme Freight",
        "A 0 of Acme",
        "A 1 of Acme",
    ]
    [user] = search(o, "ann@").users
    assert (user.email, user.company, user.company_name) == (
        "Ann@Initech.com",
        "co_1",
        "Acme Freight",
    )
