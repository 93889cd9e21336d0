"""Upcoming, and the worklist with its response times: each figure equals a recount."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.database import transaction
from services.rules.planned_changes import find_companies_due, forecast
from tests.support.dashboard.demo_figures import AT, ZONE, Demo
from tests.support.dashboard.elements import number, only, rows, select, text

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]  # generating takes a minute

STATUSES = ["Healthy", "At Risk", "Critical"]
LOCAL = ZoneInfo(ZONE)


@dataclass(frozen=True)
class Becoming:
    """What becomes of a company within a span: by its changes alone, one after the other."""

    company: str
    kind: str
    day: date
    worst: str
    owner: str
    value: Decimal


def becoming(demo: Demo, days: int) -> list[Becoming]:
    """Return what becomes of each company up to the end of a day, by following its flags."""
    today = AT.astimezone(LOCAL).date()
    until = datetime.combine(today + timedelta(days=days), datetime.min.time(), LOCAL)
    with transaction():
        due = find_companies_due(demo.id, until=until)
        forecasts = list(forecast(demo.id, due, 2, AT, until))
    customers = demo.pairs(
        "select external_id, name, owner, value, status from customers where organization_id ="
        " %(id)s and left_on is null"
    )
    found = []
    for changes in forecasts:
        steps = [c for c in changes if c.before != c.after and c.at < until]
        if not steps or steps[0].id not in customers:
            continue
        name, owner, value, status = customers[steps[0].id]
        assert steps[0].before == status
        ranks = [STATUSES.index(step.after) for step in steps]
        before, worst = STATUSES.index(status), max(ranks)
        kind = "worse" if worst > before else "better" if ranks[-1] < before else "returns"
        day = steps[ranks.index(worst)].at.astimezone(LOCAL).date()
        found.append(Becoming(name, kind, day, STATUSES[worst], owner, value))
    return found


def directions(page: Any) -> dict[str, tuple[Decimal, Decimal]]:
    """Return the companies and their value that become worse, get better, and return."""
    words = {"worse": "worse", "recover": "better", "no longer": "better", "return": "returns"}
    sums: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(), Decimal()))
    for figure in only(page, "ul", "directions").findall("li"):
        kind = next(kind for word, kind in words.items() if word in text(figure))
        worth = [text(each).removeprefix("worth ") for each in select(figure, "span", "quiet")]
        companies, value = sums[kind]
        sums[kind] = (
            companies + number(text(only(figure, "strong"))),
            value + sum(map(number, worth), Decimal()),
        )
    return {kind: amounts for kind, amounts in sums.items() if amounts[0]}


def sums_of(expected: Sequence[Becoming]) -> dict[str, tuple[int, Decimal]]:
    kinds = {each.kind for each in expected}
    return {
        kind: (
            sum(each.kind == kind for each in expected),
            sum((each.value for each in expected if each.kind == kind), Decimal()),
        )
        for kind in kinds
    }


@pytest.mark.parametrize("days", [7, 14, 30])
def test_what_will_change_within_days(demo: Demo, days: int) -> None:
    expected = becoming(demo, days)
    page = demo.page(f"/upcoming?days={days}")
    assert directions(page) == sums_of(expected)
    by_day = Counter((each.day, each.kind == "worse") for each in expected)
    worth = Counter[tuple[date, bool]]()
    for each in expected:
        worth[each.day, each.kind == "worse"] += each.value  # type: ignore[assignment]
    table = only(page, "table", "by-day")
    assert len(rows(table)) == days
    for number_of_day, cells in enumerate(rows(table)):
        day = AT.astimezone(LOCAL).date() + timedelta(days=number_of_day)
        for is_worse, of_kind in ((True, cells[1:2]), (False, cells[2:4])):
            companies, value = Decimal(), Decimal()
            for cell in of_kind:
                values = [text(each) for each in select(cell, "span", "block")]
                shown = text(cell)
                for each in values:
                    value += number(each)
                    shown = shown.removesuffix(each)
                companies += number(shown)
            returning = sum(e.kind == "returns" and e.day == day for e in expected)
            if is_worse or not returning:
                assert (companies, value) == (by_day[day, is_worse], worth[day, is_worse]), day


FILTERS = {
    "owner=me": lambda each: each.owner == "lucia.ortiz@brightdesk.example",
    "owner=hana.saito@brightdesk.example": lambda each: each.owner.startswith("hana.saito"),
    "value=5,000": lambda each: each.value >= 5_000,
    "status=At+Risk": lambda each: each.worst == "At Risk",
    "day=2026-05-21": lambda each: each.day == date(2026, 5, 21),
    "direction=worse": lambda each: each.kind == "worse",
}


@pytest.mark.parametrize("query", FILTERS)
def test_the_companies_that_will_change(demo: Demo, query: str) -> None:
    if query == "owner=me":
        mine = demo.value(
            "select owner_values from memberships m join people p on p.id = m.person_id"
            " where m.organization_id = %(id)s and email = %(reader)s"
        )
        expected = [each for each in becoming(demo, 14) if each.owner in mine]
    else:
        expected = list(filter(FILTERS[query], becoming(demo, 14)))
    assert expected
    path, listed = f"/upcoming?days=14&{query}", []
    if not query.startswith(("day", "direction")):
        assert directions(demo.page(path)) == sums_of(expected)
    while path:
        page = demo.page(path)
        items = only(page, "ul", "rows").findall("li")
        listed += [text(item.find(".//a")) for item in items if item.get("class") == "change-row"]
        following = select(page, "a", rel="next")
        path = following[0].get("href", "") if following else ""
    assert sorted(listed) == sorted(each.company for each in expected)


def test_the_changes_on_today_are_the_first_of_a_week(demo: Demo) -> None:
    items = only(demo.page("/upcoming"), "ul", "rows").findall("li")
    first = [text(item.find(".//a")) for item in items[:5]]
    worst = {each.company: each.worst for each in becoming(demo, 7) if each.kind == "worse"}
    listed = only(demo.page("/"), "section", aria_labelledby="upcoming")
    shown = [
        (text(only(row, "span", "company")), text(select(row, "bdi", "mark")[-1]))
        for row in select(listed, "li", "change-row")
    ]
    assert shown == [(name, worst[name]) for name in first]


STAYS = "closed_at is null and left_on is null"
SHOWN = {
    "": f"{STAYS} and not snoozed and state <> 'done'",
    "open": f"{STAYS} and not snoozed and state = 'open'",
    "seen": f"{STAYS} and not snoozed and state = 'seen'",
    "working": f"{STAYS} and not snoozed and state = 'working'",
    "snoozed": f"{STAYS} and snoozed",
    "done": f"{STAYS} and state = 'done'",
    "all": "closed_at is null",
    "closed": "closed_at >= %(now)s - interval '30 days'",
}
MEMBERS = (
    "(select m.person_id, value from memberships m join people p on p.id = m.person_id,"
    " unnest(array[p.email] || m.owner_values) as value where m.organization_id = %(id)s)"
)
READER = "(select id from people where email = %(reader)s)"
WHOSE = {
    "mine": f"(assignee_id = {READER} or assignee_id is null and owner in"
    f" (select value from {MEMBERS} m where m.person_id = {READER}))",
    "team": "true",
    "unassigned": f"assignee_id is null and owner not in (select value from {MEMBERS} m)",
}
ITEMS = (
    "from work_items i left join (select organization_id as of, id as customer, left_on"
    " from customers) c on c.of = i.organization_id and c.customer = i.company_id"
    " where i.organization_id = %(id)s"
)


@pytest.mark.parametrize("state", SHOWN)
def test_the_items_of_the_worklist(demo: Demo, state: str) -> None:
    page = demo.page(f"/worklist?whose=team&state={state}")
    counts = {
        text(link).split()[0].lower(): number(text(only(link, "span", "count")))
        for link in select(only(page, "nav", aria_label="Whose"), "a")
    }
    for whose, condition in WHOSE.items():
        where = f"{ITEMS} and {SHOWN[state]} and {condition}"
        [expected] = demo.rows(f"select count(*) as items, sum(value) as value {where}")
        assert counts[whose] == expected["items"], whose
        exported = demo.text(f"/worklist.csv?whose={whose}&state={state}")
        table = list(csv.DictReader(io.StringIO(exported)))
        assert len(table) == expected["items"]
        assert sum(Decimal(row["value"] or 0) for row in table) == (expected["value"] or 0)
    items, path = 0, f"/worklist?whose=team&state={state}"
    while path:
        page = demo.page(path)
        items += len(select(page, "tr", "open")) + sum(
            len(select(page, "tr", name)) for name in ("seen", "working", "done")
        )
        following = select(page, "a", rel="next")
        path = following[0].get("href", "") if following else ""
    assert items == counts["team"]


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("status=Critical", "i.status = 'Critical'"),
        ("flag=Creates+reports", "flag = 'Creates reports'"),
        ("owner=hana.saito@brightdesk.example", "owner = 'hana.saito@brightdesk.example'"),
        ("due=late", "due_on < date '2026-05-20'"),
        ("due=today", "due_on = date '2026-05-20'"),
        ("due=week", "due_on between date '2026-05-20' and date '2026-05-26'"),
        ("due=none", "due_on is null"),
    ],
)
def test_the_items_of_a_filter(demo: Demo, query: str, condition: str) -> None:
    page = demo.page(f"/worklist?whose=team&{query}")
    count = only(only(page, "nav", aria_label="Whose"), "a", aria_current="true")
    assert number(text(only(count, "span", "count"))) == demo.value(
        f"select count(*) {ITEMS} and {SHOWN['']} and {condition}"
    )


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(
    ("sort", "column"),
    [("value", "value"), ("renewal", "renews_on"), ("due", "due_on"), ("raised", "raised_at")],
)
def test_the_items_of_an_order(demo: Demo, sort: str, column: str, direction: str) -> None:
    sign = "-" if direction == "desc" else ""
    expected = demo.tuples(
        f"select i.id::text {ITEMS} and {SHOWN['']} order by {column} {direction} nulls last,"
        " array_position(array['At Risk', 'Critical'], i.status) desc, value desc nulls last,"
        " i.id desc"
    )
    exported = demo.text(f"/worklist.csv?whose=team&sort={sign}{sort}").removeprefix("\ufeff")
    assert [(row["id"],) for row in csv.DictReader(io.StringIO(exported))] == expected
    listed, path = [], f"/worklist?whose=team&sort={sign}{sort}"
    while path:
        page = demo.page(path)
        listed += [(body.get("data-item"),) for body in select(page, "tbody")]
        following = select(page, "a", rel="next")
        path = following[0].get("href", "") if following else ""
    assert listed == expected


def test_open_items_are_the_raised_flags(demo: Demo) -> None:
    assert demo.tuples(
        "select company_id, flag, status from work_items where organization_id = %(id)s"
        " and closed_at is null order by 1, 2"
    ) == demo.tuples(
        "select company_id, flag, status from raised where organization_id = %(id)s order by 1, 2"
    )


def test_the_response_times_by_person(demo: Demo) -> None:
    table = only(demo.page("/worklist/response-times"), "table")
    shown = {
        text(select(row[0], "bdi")[0]): [text(cell) for cell in row[1:]] for row in rows(table)
    }
    expected = demo.rows(
        f"""
        select whose, count(*) as opened, count(touched_at) as touched,
            percentile_cont(0.5) within group (order by touched_at - opened_at) as median
        from (
            select i.opened_at, i.touched_at, coalesce(
                (select name from people where id = assignee_id),
                (select name from people where id = (
                    select person_id from {MEMBERS} m where m.value = i.owner
                )), i.owner) as whose
            from work_items i where i.organization_id = %(id)s
            and opened_at >= %(now)s - interval '30 days'
        ) items group by whose
        """
    )
    assert len(shown) == len(expected)
    for row in expected:
        opened, touched, untouched, median = shown[row["whose"]]
        assert (number(opened), number(touched)) == (row["opened"], row["touched"])
        assert number(untouched) == row["opened"] - row["touched"]
        assert (median == "–") == (row["median"] is None)
        if row["median"] is not None:
            hours = row["median"] // timedelta(hours=1)
            days = row["median"].days
            assert median.split()[0] == str(days or hours)


def test_each_number_of_the_response_times_leads_to_its_items(demo: Demo) -> None:
    table = only(demo.page("/worklist/response-times"), "table")
    links = select(table, "a")
    assert links
    for link in links:
        listed, address = 0, link.get("href")
        while address:
            page = demo.page(address)
            listed += len(rows(only(page, "table")))
            following = select(page, "a", rel="next")
            address = following[0].get("href") if following else None
        assert listed == number(text(link)), link.get("href")
