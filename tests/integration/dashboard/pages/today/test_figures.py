"""Every figure of Today and Changes equals a plain recount, for random companies."""

import html
import re
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from dashboard.pages.today import changes
from dashboard.presentation.wording import amount, grouped
from tests.support.dashboard.application import NOW, Dashboard, text_of, without_isolation
from tests.support.dashboard.customers import Customers
from tests.support.dashboard.random_account import RandomAccount
from tests.support.properties import seeds


@pytest.mark.parametrize("seed", seeds())
def test_every_figure_of_today_changes_and_portfolio_equals_a_recount(
    dashboard: Dashboard, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = RandomAccount(dashboard, Random(seed))
    check_the_large_figures_and_my_companies(account)
    check_today_for_oneself(account)
    check_the_owners_are_the_worst_first_with_their_sums(account)
    check_changes_are_the_companies_with_another_status_than_then(account, monkeypatch)
    check_the_portfolio_ends_with_the_figures_of_now(account)


def plain(markup: str) -> str:
    """Return the text of markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def large_figures(page: str) -> dict[str, str]:
    found = re.findall(
        r'class="title[^>]*>([^<]+)</span>\s*<strong>([^<]+)</strong>', without_isolation(page)
    )
    return dict(found)


def recounted(companies: list[dict[str, Any]]) -> dict[str, str]:
    """Return what the large figures have to be."""
    at_risk = [company for company in companies if company["status"] != "Healthy"]
    assert at_risk
    last = NOW.date() + timedelta(days=60)
    renewing = [c for c in at_risk if c["renews_on"] and NOW.date() <= c["renews_on"] <= last]
    return {
        "Critical": grouped(sum(c["status"] == "Critical" for c in companies)),
        "At Risk": grouped(sum(c["status"] == "At Risk" for c in companies)),
        "Value at risk": amount(sum((c["value"] for c in at_risk), Decimal())),
        "Renewals in danger": grouped(len(renewing)),
    }


def check_today_for_oneself(account: RandomAccount) -> None:
    page = account.browser.get("/o/acme/?owner=me").text
    mine = [c for c in account.companies() if c["owner"] == "ann@acme.com"]
    assert large_figures(page) == recounted(mine)
    then = account.customers.rows(
        "select (select to_status from transitions t where t.organization_id = %(id)s"
        " and t.company_id = c.id and t.at < %(end)s order by sequence desc limit 1) as status"
        " from companies c where organization_id = %(id)s and lower(owner) = 'ann@acme.com'"
        " and (left_on is null or left_on >= %(end)s) and first_seen_at < %(end)s",
        end=(NOW - timedelta(days=6)).replace(hour=0, minute=0, second=0, microsecond=0),
    )
    for status in ("Critical", "At Risk"):
        before = sum(company["status"] == status for company in then)
        moved = sum(company["status"] == status for company in mine) - before
        words = f"{moved:+}".replace("-", "−") if moved else "no change"
        [shown] = re.findall(rf'class="title clamped" title="{status}">.*?</li>', page, re.DOTALL)
        assert f"{words} in a week" in plain(shown)
    [pills] = re.findall(r'aria-label="Companies by status".*?</nav>', page, re.DOTALL)
    for status in ("Critical", "At Risk", "Healthy"):
        of_status = [c for c in mine if c["status"] == status]
        value = sum((c["value"] for c in of_status), Decimal())
        assert f"{status} {len(of_status)} · {amount(value)}" in plain(pills)
    worst = account.customers.rows(
        "select external_id as id from companies where organization_id = %(id)s"
        " and lower(owner) = 'ann@acme.com' and left_on is null and health_status <> 'Healthy'"
        " order by health_status = 'Critical' desc, value desc nulls last, companies.id limit 8"
    )
    [table] = re.findall(r'<table class="companies">.*?</table>', page, re.DOTALL)
    assert re.findall(r'companies/(c\d+)"', table) == [company["id"] for company in worst]
    changed = account.customers.rows(
        "select c.external_id as id from transitions t join companies c"
        " on c.organization_id = t.organization_id and c.id = t.company_id"
        " where t.organization_id = %(id)s and t.at > %(since)s and t.from_status <> t.to_status"
        " and left_on is null and lower(owner) = 'ann@acme.com' order by t.at desc, t.id desc",
        since=NOW - timedelta(days=1),
    )
    recent = account.browser.get("/o/acme/recent?owner=me").text
    assert f"{len(changed)} status change" in plain(recent)
    assert re.findall(r'companies/(c\d+)">', recent) == [change["id"] for change in changed]


def check_the_large_figures_and_my_companies(account: RandomAccount) -> None:
    page = account.browser.get("/o/acme/").text
    companies = account.companies()
    assert large_figures(page) == recounted(companies)
    [mine] = re.findall(r'aria-labelledby="my-companies".*?</nav>', page, re.DOTALL)
    for status in {company["status"] for company in companies}:
        owned = [c for c in companies if (c["owner"], c["status"]) == ("ann@acme.com", status)]
        value = sum((c["value"] for c in owned), Decimal())
        shown = f"{status} {len(owned)} · {amount(value)}"
        assert (shown in plain(mine)) == bool(owned)


def check_the_owners_are_the_worst_first_with_their_sums(account: RandomAccount) -> None:
    [table] = re.findall(
        r'<table class="owners.*?</table>', account.browser.get("/o/acme/").text, re.DOTALL
    )
    sums: dict[str | None, list[Any]] = defaultdict(lambda: [Decimal(), 0, 0])
    for company in account.companies():
        owner = sums[company["owner"]]
        if company["status"] != "Healthy":
            owner[0] += company["value"]
            owner[1 if company["status"] == "Critical" else 2] += 1
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in table.split("<tr>")]
    shown = {}
    values = []
    for owner, critical, risky, value in (row for row in rows[2:] if row):
        name = html.unescape(re.findall(r'title="([^"]*)"', owner)[0]).lower()
        numbers = [int(re.sub(r"<[^>]*>|\D", "", cell)) for cell in (critical, risky)]
        at_risk = plain(value).split()[0]
        shown[None if name == "no owner" else name] = [at_risk, *numbers]
        values.append(Decimal(at_risk.replace(",", "")))
    assert shown == {name: [amount(value), *numbers] for name, (value, *numbers) in sums.items()}
    assert values == sorted(values, reverse=True)


def check_changes_are_the_companies_with_another_status_than_then(
    account: RandomAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "PAGE", 4)
    for days in (1, 7, 30):
        address = f"/o/acme/changes?span={days}"
        expected = {}
        for row in account.customers.rows(
            "select c.external_id as id, array_agg(t.from_status order by t.at, t.sequence) as a,"
            " array_agg(t.to_status order by t.at, t.sequence) as b from transitions t"
            " join companies c on c.organization_id = t.organization_id and c.id = t.company_id"
            " where t.organization_id = %(id)s and t.at > %(since)s and c.left_on is null"
            " group by 1",
            since=NOW - timedelta(days=days),
        ):
            if row["a"][0] != row["b"][-1]:
                expected[row["id"]] = (row["a"][0], row["b"][-1])
        shown = []
        following: str | None = address
        while following:
            page = account.browser.get(following)
            shown += re.findall(
                r'companies/(c\d+)".*?<span class="step">(.*?)</span>\s*<details class="reasons">',
                page.text,
                re.DOTALL,
            )
            more = re.findall(r'rel="next" hx-get="([^"]+)"', page.text)
            following = html.unescape(more[0]) if more else None
        found = {company: tuple(plain(step).split(" → to ")) for company, step in shown}
        assert len(shown) == len(found)
        assert found == expected
        ranks = ["Healthy", "At Risk", "Critical"]
        worse = sum(ranks.index(b) > ranks.index(a) for a, b in expected.values())
        totals = large_figures(account.browser.get(address).text)
        assert totals == {
            "Became worse": str(worse),
            "Became better": str(len(expected) - worse),
        }


def check_the_portfolio_ends_with_the_figures_of_now(account: RandomAccount) -> None:
    page = without_isolation(account.browser.get("/o/acme/portfolio").text)
    [newest] = re.findall(r"<tbody>\s*<tr>\s*<th scope=\"row\"><time.*?</tr>", page, re.DOTALL)
    heads = re.findall(r'<th scope="col" class="number">([^<]+)</th>', page.split(">UTC day<")[1])
    cells = re.findall(r"<td class=\"number\">(.*?)</td>", newest, re.DOTALL)
    by_status: dict[str, list[Any]] = defaultdict(lambda: [0, Decimal()])
    for company in account.companies():
        by_status[company["status"]][0] += 1
        by_status[company["status"]][1] += company["value"]
    shown = {head: plain(cell) for head, cell in zip(heads, cells, strict=False)}
    at_risk = sum((v for name, (_, v) in by_status.items() if name != "Healthy"), Decimal())
    assert shown == {
        **{name: f"{grouped(n)} {amount(value)}" for name, (n, value) in by_status.items()},
        "Value at risk": amount(at_risk),
    }


def test_the_span_since_the_last_look_ends_with_the_visit_before(
    dashboard: Dashboard,
) -> None:
    customers = Customers(dashboard.organization("acme"))
    browser = dashboard.signed_in("ann@acme.com", (customers.organization, "viewer"))

    def since() -> str:
        return text_of(browser.get("/o/acme/changes?span=seen"))

    assert "as this is your first visit" in since()
    dashboard.clock.advance(minutes=10)
    assert "as this is your first visit" in since()  # the same visit
    dashboard.clock.advance(hours=3)
    assert "from the one at 10:40" in since()
    dashboard.clock.advance(minutes=10)
    assert "from the one at 10:40" in since()
