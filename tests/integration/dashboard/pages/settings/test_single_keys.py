"""Shortcuts of single keys, which each person can turn off."""

import re

from models.database import transaction
from models.organizations import audit_log
from tests.support.dashboard.application import Dashboard


def promised_keys(page: str) -> set[str]:
    """Return the keys that a page names in its list and its titles."""
    listed = "".join(re.findall("<dt>(.*?)</dt>", page))
    titles = re.findall(r'title="(?:[\w ]+: )?(/|g \w)"', page)
    return {*re.findall("<kbd>(.+?)</kbd>", listed), *titles}


def test_a_person_turns_single_keys_off_and_on(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (acme, "viewer"))
    assert {"/", "j", "Shift", "g", "Enter", "?"} <= promised_keys(browser.get("/account").text)
    before = browser.get("/o/acme/companies").text
    assert {"/", "g c", "g m"} <= promised_keys(before)
    assert 'data-single-keys="on"' in before

    page = browser.get(browser.post("/account/single-keys").location).text
    assert "Single-key shortcuts are off." in page
    assert promised_keys(page) == {"Enter", "Esc"}
    companies = browser.get("/o/acme/companies").text
    assert promised_keys(companies) == set()
    assert 'data-single-keys="off">' in companies
    assert '<dialog id="keys"' not in companies
    with transaction():
        [entry] = audit_log.read_page(acme.id, limit=1)
    assert entry.action == "Single-key shortcuts changed"
    assert entry.detail == {"was": True, "shortcuts": False}

    browser.post("/account/single-keys", single_keys="on")
    assert promised_keys(browser.get("/account").text) >= {"j", "?"}
