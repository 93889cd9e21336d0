"""Every number of Today, Changes, Upcoming, Portfolio and Worklist leads to a list of that many."""

import re
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from xml.etree.ElementTree import Element

from models.database import transaction
from models.health import forecasts
from services.forecasts.refreshing import refresh
from tests.support.dashboard.application import NOW, Dashboard
from tests.support.dashboard.elements import number, only, parse, rows, select, text
from tests.support.dashboard.random_account import RandomAccount

COUNT = re.compile(r"[\d,]+")
SPAN = re.compile(r"\d+ (?:hours|days)")
PAGES = {
    "": 10,
    "?owner=me": 8,
    "changes?span=7": 4,
    "changes?span=30&owner=me": 1,
    "upcoming?days=14": 4,
    "portfolio": 1,
    "worklist?whose=team": 3,
}
"""The pages below an organization, and how many numbers each leads on with at least."""


def test_every_number_leads_to_a_list_of_as_many(dashboard: Dashboard) -> None:
    account = RandomAccount(dashboard, Random(7))
    with transaction():
        forecasts.ask(account.customers.id, NOW)
    refresh(account.customers.id, account.customers.rulebooks, lambda: NOW)
    for path, at_least in PAGES.items():
        links = list(numbers_of(page(account, f"/o/acme/{path}")))
        assert len(links) >= at_least, (path, links)
        for shown, address in links:
            assert listed(account, address) == shown, (path, address)


def test_the_value_at_risk_is_the_sum_of_the_values_of_its_list(dashboard: Dashboard) -> None:
    account = RandomAccount(dashboard, Random(8))
    today = page(account, "/o/acme/")
    cells = [cell for row in rows(only(today, "table", "owners")) for cell in select(row[-1], "a")]
    [figure] = [figure for figure in select(today, "a") if text(figure).startswith("Value at risk")]
    assert len(cells) > 2
    assert value_of(account, figure.get("href", "")) == amount(only(figure, "strong"))
    for cell in cells:
        shown = amount(cell)
        assert value_of(account, cell.get("href", "")) == shown


def page(account: RandomAccount, address: str) -> Element:
    return only(parse(account.browser.get(address).text), "main")


def numbers_of(main: Element) -> Iterator[tuple[Decimal, str]]:
    """Return the counts that are links, with the addresses to which they lead."""
    values = [link for cell in select(main, "td", data_title="Value at risk") for link in cell]
    for link in select(main, "a"):
        marked = [*select(link, "strong"), *select(link, "span", "count")]
        words = text(marked[0] if marked else link).split()
        if SPAN.fullmatch(text(link)) or link in values or text(link).startswith("Value at risk"):
            continue
        if words and COUNT.fullmatch(words[0]):
            yield number(words[0]), link.get("href", "")


def listed(account: RandomAccount, address: str) -> Decimal:
    """Return how many rows the list at an address has, as it says."""
    main = page(account, address)
    said = [text(each) for each in select(main, "p", role="status")]
    said += [text(each) for each in select(main, "span", role="status")]
    counts = [words.split()[0] for words in said if COUNT.fullmatch(words.split()[0])]
    return number(counts[0]) if counts else Decimal()


def value_of(account: RandomAccount, address: str) -> Decimal:
    """Return the sum of the values of the companies in a list, on all its pages."""
    total, following = Decimal(), f"{address}&column=value"
    while following:
        main = page(account, following)
        total += sum(amount(row[-1]) for row in rows(only(main, "table")) if text(row[-1]))
        further = select(main, "a", rel="next")
        following = further[0].get("href", "") if further else ""
    return total


def amount(element: Element) -> Decimal:
    return Decimal(text(element).split()[0].replace(",", ""))
