"""The owner, value, renewal and raised flags of companies in the list and its export."""

import csv
import io

import pytest
from werkzeug.test import TestResponse

from models.organizations.organizations import Organization
from tests.support.dashboard.application import Browser, Dashboard
from tests.support.dashboard.customers import RULES, Customers

TEAM = "team: {owner: company.owner, value: company.arr, renewal: company.renews}\n"


class Acme:
    """An organization whose rules name the fields of the team, and the browser of Ann."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.organization: Organization = dashboard.organization("acme")
        self.customers = Customers(self.organization, RULES + TEAM)
        self.customers.track_days_ago("big", 2, 1, owner="Ann@acme.com", arr=1_250_000)
        self.customers.track_days_ago("late", 20, owner="ben@acme.com", renews="2026-02-25")
        self.customers.track_days_ago("loss", 9, 3, owner="<i>Cem", arr=-0.5, renews="2026-01-20")
        self.customers.track_days_ago("bare", 2, 1)
        self.customers.judge()
        self.browser: Browser = dashboard.signed_in("ann@acme.com", (self.organization, "viewer"))

    def page(self, query: str = "") -> TestResponse:
        return self.browser.get(f"/o/acme/companies{query}")


@pytest.fixture
def acme(dashboard: Dashboard) -> Acme:
    return Acme(dashboard)


# CSV


def test_the_export_has_the_fields_of_the_team_and_the_raised_flags(acme: Acme) -> None:
    exported = acme.browser.get("/o/acme/companies.csv?sort=name").text.removeprefix("\ufeff")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(exported))}
    columns = ("owner", "value", "renewal", "raised_flags", "field.owner")
    assert {company: tuple(row[name] for name in columns) for company, row in rows.items()} == {
        "big": ("Ann@acme.com", "1250000.00", "", "", "Ann@acme.com"),
        "late": ("ben@acme.com", "", "2026-02-25", "Reports: Critical", "ben@acme.com"),
        "loss": ("<i>Cem", "-0.50", "2026-01-20", "Reports: At Risk", "<i>Cem"),
        "bare": ("", "", "", "", ""),
    }
