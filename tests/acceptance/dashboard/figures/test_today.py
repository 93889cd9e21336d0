"""Today, Changes and Portfolio: each figure equals a recount of the demo data."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.etree.ElementTree import Element

import pytest

from tests.support.dashboard.demo_figures import AT, Demo
from tests.support.dashboard.elements import number, only, rows, select, text, texts

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]  # generating takes a minute

STATUSES = ["Healthy", "At Risk", "Critical"]
PRESENT = "from customers where organization_id = %(id)s and left_on is null"
MINE = (
    "(owner = %(reader)s or owner = any(select unnest(owner_values) from memberships m"
    " join people p on p.id = m.person_id where m.organization_id = %(id)s"
    " and p.email = %(reader)s))"
)

CUSTOMER = MINE.replace("owner =", "c.owner =")

Amounts = Mapping[str, tuple[int, Decimal]]


def at_the_end_of(demo: Demo, day: date, condition: str = "true") -> Amounts:
    """Return the companies and their value by status at the end of a UTC day."""
    return demo.pairs(
        f"""
        select status, count(*), coalesce(sum(value), 0) from (
            select coalesce((
                    select to_status from transitions t where t.organization_id = %(id)s
                    and t.company_id = c.id and (t.at at time zone 'UTC')::date <= %(day)s
                    order by sequence desc limit 1
                ), 'Healthy') as status, (
                    select (value #>> '{{}}')::numeric from field_changes f
                    where f.organization_id = %(id)s and f.company_id = c.id and field = 'arr'
                    and (f.at at time zone 'UTC')::date <= %(day)s order by f.at desc limit 1
                ) as value
            from customers c where organization_id = %(id)s and {condition}
            and (left_on is null or left_on > %(day)s)
            and (select (min(occurred_at) at time zone 'UTC')::date from events e
                where e.organization_id = %(id)s and e.company_id = c.id) <= %(day)s
        ) then_counted group by status
        """,
        day=day,
    )


def at_risk(amounts: Amounts) -> Decimal:
    return sum((amounts[s][1] for s in STATUSES[1:] if s in amounts), Decimal())


def change(number: Decimal | int) -> str:
    """Return how a change of a figure is written."""
    return f"{number:+,.0f}".replace("-", "−") if number else "no change"


def figures(page: Element) -> dict[str, Element]:
    """Return the large figures by their titles."""
    listed = only(page, "ul", "large-figures").findall("li")
    return {text(only(figure, "span", "title")): figure for figure in listed}


def strong(figure: Element) -> Decimal:
    return number(text(only(figure, "strong")))


def test_the_large_figures_their_changes_and_their_links(demo: Demo) -> None:
    now = demo.pairs(f"select status, count(*), sum(value) {PRESENT} group by 1")
    then = at_the_end_of(demo, (AT - timedelta(days=7)).date())
    shown = figures(demo.page("/"))
    for status in ("Critical", "At Risk"):
        companies, value = now[status]
        moved = change(companies - then[status][0])
        assert text(shown[status]) == f"{status} {companies} worth {value:,.0f} {moved} in a week"
    risky = now["Critical"][0] + now["At Risk"][0]
    assert text(shown["Value at risk"]) == (
        f"Value at risk {at_risk(now):,.0f} of {risky} that are not Healthy"
        f" {change(at_risk(now) - at_risk(then))} in a week"
    )
    [renewing] = demo.rows(
        f"select count(*) as companies, sum(value) as value {PRESENT} and status <> 'Healthy'"
        " and renews_on between date '2026-05-20' and date '2026-05-20' + 60"
    )
    assert renewing["companies"]
    assert text(shown["Renewals in danger"]) == (
        f"Renewals in danger {renewing['companies']} within 60 days, not Healthy"
        f" worth {renewing['value']:,.0f}"
    )
    for title, figure in shown.items():
        expected = risky if title == "Value at risk" else strong(figure)
        assert demo.companies(only(figure, "a").get("href", "")) == expected


def test_the_companies_by_status_and_those_of_the_reader(demo: Demo) -> None:
    page = demo.page("/")
    assert text(only(page, "h2", id="status-counts")).split()[0] == str(
        demo.value(f"select count(*) {PRESENT}")
    )
    pills = only(page, "nav", aria_label="Companies by status")
    assert pill_counts(demo, pills) == {
        status: str(companies)
        for status, companies in demo.pairs(f"select status, count(*) {PRESENT} group by 1").items()
    }
    bar = only(page, "svg", "shares")
    total = demo.value(f"select count(*) {PRESENT}")
    assert len(select(bar, "rect")) == 3
    assert total
    mine = demo.pairs(f"select status, count(*), sum(value) {PRESENT} and {MINE} group by 1")
    assert sum(companies for companies, _ in mine.values()) > 5
    pills = only(page, "nav", aria_labelledby="my-companies")
    [to_do] = [link for link in select(pills, "a") if text(link).startswith("To do")]
    assert number(text(only(to_do, "span", "count"))) == demo.value(
        "select count(*) from work_items i join customers c on c.organization_id = %(id)s"
        " and c.id = i.company_id where i.organization_id = %(id)s and closed_at is null"
        " and left_on is null and not snoozed and state <> 'done' and (assignee_id ="
        f" (select id from people where email = %(reader)s) or assignee_id is null and {CUSTOMER})"
    )
    assert pill_counts(demo, pills) == {
        status: f"{companies} · {value:,.0f}" for status, (companies, value) in mine.items()
    }


def test_today_for_oneself(demo: Demo) -> None:
    mine = demo.pairs(f"select status, count(*), sum(value) {PRESENT} and {MINE} group by 1")
    [renewing] = demo.rows(
        f"select count(*) as companies, sum(value) as value {PRESENT} and {MINE} and status <>"
        " 'Healthy' and renews_on between date '2026-05-20' and date '2026-05-20' + 60"
    )
    then = at_the_end_of(demo, (AT - timedelta(days=7)).date(), CUSTOMER)
    assert mine != then
    page = demo.page("/?owner=me")
    shown = figures(page)
    for status in ("Critical", "At Risk"):
        companies, value = mine.get(status, (0, Decimal()))
        moved = change(companies - then.get(status, (0, Decimal()))[0])
        assert text(shown[status]) == f"{status} {companies} worth {value:,.0f} {moved} in a week"
    risky = sum(mine[status][0] for status in STATUSES[1:] if status in mine)
    assert text(shown["Value at risk"]) == (
        f"Value at risk {at_risk(mine):,.0f} of {risky} that are not Healthy"
        f" {change(at_risk(mine) - at_risk(then))} in a week"
    )
    assert text(shown["Renewals in danger"]) == (
        f"Renewals in danger {renewing['companies']} within 60 days, not Healthy"
        f" worth {renewing['value'] or 0:,.0f}"
    )
    for title, figure in shown.items():
        expected = risky if title == "Value at risk" else strong(figure)
        assert demo.companies(only(figure, "a").get("href", "")) == expected
    pills = only(page, "nav", aria_label="Companies by status")
    counts = pill_counts(demo, pills)
    assert {status: count for status, count in counts.items() if count != "0 · 0"} == {
        status: f"{companies} · {value:,.0f}" for status, (companies, value) in mine.items()
    }
    worst = only(page, "section", aria_labelledby="worst")
    assert text(select(worst, "a")[0]) == f"{risky} companies at risk"
    assert demo.companies(select(worst, "a")[0].get("href", "")) == risky
    assert [(name, status) for name, status, *_ in texts(only(worst, "table"))] == demo.tuples(
        f"select name, status {PRESENT} and {MINE} and status <> 'Healthy'"
        " order by status = 'Critical' desc, value desc nulls last, customers.id limit 8"
    )
    changes = demo.tuples(
        "select c.name, t.from_status, t.to_status from transitions t join customers c"
        " on c.organization_id = t.organization_id and c.id = t.company_id"
        " where t.organization_id = %(id)s and from_status <> to_status and left_on is null"
        f" and t.at > %(now)s - interval '1 day' and {CUSTOMER} order by t.at desc, t.id desc"
    )
    assert change_rows(demo, only(page, "section", aria_labelledby="changed")) == changes


def pill_counts(demo: Demo, pills: Element) -> dict[str, str]:
    """Return the counts of links by status; each leads to as many companies."""
    counts = {}
    for link in select(pills, "a"):
        if not select(link, "bdi", "mark"):
            continue
        count = text(only(link, "span", "count"))
        assert demo.companies(link.get("href", "")) == number(count.split()[0])
        counts[text(only(link, "bdi", "mark"))] = count
    return counts


def test_the_owners_are_the_worst_first_with_their_sums(demo: Demo) -> None:
    expected = demo.rows(
        "select owner, count(*) filter (where status = 'Critical') as critical,"
        " count(*) filter (where status = 'At Risk') as risky,"
        f" coalesce(sum(value) filter (where status <> 'Healthy'), 0) as value {PRESENT}"
        " group by 1 order by value desc limit 10"
    )
    table = only(demo.page("/"), "table", "owners")
    shown = [
        (
            only(owner, "a").get("title"),
            *(int(number(text(count).split()[0])) for count in counts),
            number(text(value)),
        )
        for owner, *counts, value in rows(table)
    ]
    assert shown == [tuple(row.values()) for row in expected]
    for link in select(only(table, "tbody"), "a"):
        count = text(link).split()[0]
        if count.isdigit():
            assert demo.companies(link.get("href", "")) == int(count)


def test_the_changes_of_a_day(demo: Demo) -> None:
    expected = demo.tuples(
        "select c.name, t.from_status, t.to_status from transitions t join customers c"
        " on c.organization_id = t.organization_id and c.id = t.company_id"
        " where t.organization_id = %(id)s and from_status <> to_status and left_on is null"
        " and t.at > %(now)s - interval '1 day' order by t.at desc, t.sequence desc"
    )
    section = only(demo.page("/"), "section", aria_labelledby="changed")
    assert text(only(section, "p", "lead")) == (
        f"{len(expected)} status changes in the last 24 hours."
    )
    assert change_rows(demo, section) == expected


def change_rows(demo: Demo, listed: Element) -> list[tuple[str, ...]]:
    """Return the name, the former and the present status of the rows of a list, with its rest."""
    found = []
    while True:
        for row in select(listed, "li", "change-row"):
            marks = [text(mark) for mark in select(row, "bdi", "mark")]
            found.append((text(only(row, "span", "company")), *marks))
        more = select(listed, "li", "more")
        if not more:
            return found
        listed = demo.page(only(more[0], "a").get("href", ""))


@pytest.mark.parametrize("span", ["1", "7", "30", "friday"])
@pytest.mark.parametrize("owner", ["", "me"])
def test_what_changed_in_a_span(demo: Demo, span: str, owner: str) -> None:
    since = datetime(2026, 5, 14, 18, 30, tzinfo=UTC)  # Friday in the zone of the reader
    if span != "friday":
        since = AT - timedelta(days=int(span))
    net = demo.rows(
        """
        select name, before, status, coalesce(value, 0) as value from (
            select c.*, coalesce((
                select to_status from transitions t where t.organization_id = %(id)s
                and t.company_id = c.id and t.at <= %(since)s order by sequence desc limit 1
            ), 'Healthy') as before from customers c where organization_id = %(id)s
        ) then_and_now where before <> status and left_on is null
        """
        + (f" and {MINE}" if owner else ""),
        since=since,
    )
    page = demo.page(f"/changes?span={span}&owner={owner}")
    assert sorted(change_rows(demo, page)) == sorted(
        (row["name"], row["before"], row["status"]) for row in net
    )
    shown = figures(page)
    for title, is_worse in (("Became worse", True), ("Became better", False)):
        side = [
            row
            for row in net
            if (STATUSES.index(row["status"]) > STATUSES.index(row["before"])) == is_worse
        ]
        assert strong(shown[title]) == len(side)
        words = [text(quiet) for quiet in select(shown[title], "span", "quiet")]
        assert words == ([f"worth {sum(row['value'] for row in side):,.0f}"] if side else [])
        counts = Counter((row["before"], row["status"]) for row in side)
        counted = [f"{count} from {before} to {after}" for (before, after), count in counts.items()]
        listed = [text(step) for steps in select(shown[title], "ul") for step in steps]
        assert sorted(listed) == sorted(counted)


def test_the_portfolio_of_each_week_of_a_year(demo: Demo) -> None:
    page = demo.page("/portfolio")
    table = only(only(page, "section", aria_labelledby="weeks"), "table")
    shown = texts(table)
    assert len(shown) == 53
    for number_of_weeks, (_, *cells) in enumerate(shown):
        day = AT.date() - timedelta(weeks=number_of_weeks)
        amounts = at_the_end_of(demo, day)
        expected = [amounts.get(status, (0, 0)) for status in reversed(STATUSES)]
        assert cells == [
            *(f"{companies:,} {value:,.0f}" for companies, value in expected),
            f"{at_risk(amounts):,.0f}",
        ], day


def test_the_portfolio_of_raised_flags(demo: Demo) -> None:
    table = only(demo.page("/portfolio"), "table", "portfolio-flags")
    weeks = (0, 1, 4, 13, 52)
    shown = {text(row[0]): [int(number(text(cell))) for cell in row[2:]] for row in rows(table)}
    expected: dict[str, list[int]] = {flag: [0] * len(weeks) for flag in shown}
    for place, weeks_ago in enumerate(weeks):
        counts = demo.pairs(
            """
            select flag, count(*) from (
                select distinct on (t.company_id, change ->> 'flag')
                    change ->> 'flag' as flag, change ->> 'to' as status
                from transitions t cross join lateral jsonb_array_elements(t.changes) change
                join customers c on c.organization_id = %(id)s and c.id = t.company_id
                where t.organization_id = %(id)s and (t.at at time zone 'UTC')::date <= %(day)s
                and (c.left_on is null or c.left_on > %(day)s)
                order by t.company_id, change ->> 'flag', t.sequence desc
            ) last where status not in ('Healthy', 'N/A') group by 1
            """,
            day=AT.date() - timedelta(weeks=weeks_ago),
        )
        for flag, count in counts.items():
            expected[flag][place] = count
    assert shown == expected
    for row in rows(table):
        assert demo.companies(only(row[0], "a").get("href", "")) == number(text(row[2]))
