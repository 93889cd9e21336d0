"""Insights and Outcomes: each figure equals a recount of the demo data."""

from datetime import date, timedelta
from decimal import Decimal
from xml.etree.ElementTree import Element

import pytest

from tests.support.companies.outcomes import Recount, Recounter
from tests.support.dashboard.demo_figures import AT, Demo
from tests.support.dashboard.elements import number, only, rows, select, text, texts

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]  # generating takes a minute

MONDAY = date(2026, 5, 18)
KEYS = ["signed_in", "report_created", "support_ticket_opened", "invoice_paid"]
FIELDS = ["plan", "industry", "csm"]


@pytest.fixture
def counted(demo: Demo) -> Demo:
    """The demo data with the answers that its pages ask for."""
    demo.compute_answers(
        "/insights",
        *(f"/insights/{key}?by={field}" for key in KEYS for field in FIELDS),
        *(f"/outcomes?within={horizon}" for horizon in (30, 90, 180)),
    )
    return demo


def written(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def by_week(demo: Demo, key: str) -> dict[date, tuple[int, int]]:
    """Return the companies and users with an event of a key by the Monday of its UTC week."""
    return demo.pairs(
        "select date_trunc('week', occurred_at at time zone 'UTC')::date,"
        " count(distinct company_id), count(distinct user_id) from events"
        " where organization_id = %(id)s and event_key = %(key)s group by 1",
        key=key,
    )


def share(part: int, whole: int) -> str:
    """Return a share in percent, in which nearly none and nearly all differ from none and all."""
    if 0 < part < whole / 100:
        return "< 1 %"
    return "> 99 %" if whole * 0.99 < part < whole else f"{100 * part / whole:.0f} %"


def users_of(demo: Demo, key: str, since: str) -> int:
    companies: int = demo.value(
        "select count(distinct company_id) from events where organization_id = %(id)s"
        f" and event_key = %(key)s and {since}",
        key=key,
    )
    return companies


MONTH = "occurred_at > %(now)s - interval '30 days'"


def test_the_use_of_each_event(counted: Demo) -> None:
    demo = counted
    total = demo.value("select count(*) from customers where organization_id = %(id)s")
    table = only(demo.page("/insights"), "table", "insights")
    keys = set()
    for cells in rows(table):
        key = text(only(cells[0], "code"))
        weeks = by_week(demo, key)
        this, last, before = (weeks.get(MONDAY - timedelta(weeks=n), (0, 0)) for n in range(3))
        change = f"{round(100 * (last[0] - before[0]) / before[0]):+} %" if before[0] else "–"
        assert [text(cell) for cell in cells[2:]] == [
            str(this[0]),
            str(last[0]),
            str(before[0]),
            change.replace("-", "−").replace("+0", "±0"),
            f"{this[1]:,}",
            f"{last[1]:,}",
            share(users_of(demo, key, "true"), total),
            share(users_of(demo, key, MONTH), total),
        ], key
        keys.add(key)
    assert keys >= {key for (key,) in demo.tuples("select distinct event_key from events")}


def table_of(page: Element, caption: str) -> list[list[str]]:
    [found] = [t for t in select(page, "table") if text(t[0]) == caption]
    return texts(found)


@pytest.mark.parametrize("key", KEYS)
def test_the_weeks_and_the_adoption_of_an_event(counted: Demo, key: str) -> None:
    page = counted.page(f"/insights/{key}")
    weeks = by_week(counted, key)
    mondays = [MONDAY - timedelta(weeks=n) for n in range(53)]
    for noun, place in (("Companies", 0), ("People", 1)):
        if not any(week[place] for week in weeks.values()):
            continue
        shown = table_of(page, f"{noun} per week")
        assert [(day.removesuffix(" so far"), number(n)) for day, n in shown] == [
            (written(monday), weeks.get(monday, (0, 0))[place]) for monday in mondays
        ]
        section = only(page, "section", aria_labelledby=noun.lower())
        peak = max(weeks.get(monday, (0, 0))[place] for monday in mondays[1:])
        last = weeks.get(mondays[1], (0, 0))[place]
        words = text(only(section, "p"))
        assert words.startswith(f"{last:,} last week")
        assert f"The peak was {peak:,}," in words
    shares = table_of(page, "Companies that had ever used it, by week")
    for monday, (day, companies, used, _) in zip(mondays, shares, strict=True):
        until = monday + timedelta(days=7)
        assert day == written(monday)
        assert (number(companies), number(used)) == counted.tuples(
            "select count(*), count(*) filter (where used) from ("
            " select bool_or(event_key = %(key)s) as used from events"
            " where organization_id = %(id)s and occurred_at < %(until)s::date at time zone 'UTC'"
            " group by company_id) seen",
            key=key,
            until=until,
        )[0]
    ever = users_of(counted, key, "true")
    total = counted.value("select count(*) from customers where organization_id = %(id)s")
    adoption = text(only(page, "section", aria_labelledby="adoption"))
    assert (
        f"{share(ever, total)} of all companies have ever used it ({ever} of {total})" in adoption
    )
    assert f"{share(users_of(counted, key, MONTH), total)} in the last 30 days" in adoption


DISTRIBUTIONS = {
    ("report_created", 0): ("Creates reports", 21, "count(*)", "", [(1, "Critical")]),
    ("report_created", 1): ("Creates reports", 14, "count(*)", "", [(2, "At Risk")]),
    ("support_ticket_opened", 0): (
        "Support storm", 7, "count(*)", "and data ->> 'severity' in ('high', 'urgent')",
        [(6, "Critical"), (3, "At Risk")],
    ),
}  # fmt: skip
"""Flags by the place of their charts, with their window in days and their thresholds."""


@pytest.mark.parametrize(("key", "place"), DISTRIBUTIONS)
def test_the_companies_near_a_threshold(counted: Demo, key: str, place: int) -> None:
    flag, days, count, where, _ = DISTRIBUTIONS[key, place]
    numbers = counted.pairs(
        f"""
        select coalesce(n, 0)::integer, count(*) from customers c left join (
            select company_id, {count} as n from events where organization_id = %(id)s
            and event_key = %(key)s and occurred_at > %(now)s - %(days)s * interval '1 day' {where}
            group by 1
        ) e on e.company_id = c.id
        where organization_id = %(id)s and (select status from flag_states f
            where f.organization_id = %(id)s and f.company_id = c.id and f.flag = %(flag)s
        ) is not null group by 1
        """,
        key=key,
        days=days,
        flag=flag,
    )
    page = counted.page(f"/insights/{key}")
    section = only(page, "section", aria_labelledby=f"flag-{place + 1}")
    assert flag in text(only(section, "h3"))
    bins = only(only(section, "details"), "table")
    for label, companies, _ in texts(bins):
        low = int(label.rstrip("+").split("–")[0])
        high = max(numbers) if label.endswith("+") else int(label.split("–")[-1])
        assert number(companies) == sum(n for times, n in numbers.items() if low <= times <= high)
    bands = texts(only(section, "table", "bands"))
    assert sum(number(companies) for _, companies, _ in bands) == sum(numbers.values())
    for condition, companies, about in bands[:-1]:
        phrase = condition.removeprefix("Critical ").removeprefix("At Risk ")
        bound = int(phrase.split()[2])
        worse = [int(c.split()[-5]) for c, *_ in bands[:-1] if c.startswith("Critical")]
        if phrase.startswith("less"):
            assert number(companies) == sum(n for times, n in numbers.items() if times < bound)
            assert number(about) == numbers.get(bound, 0)
        else:
            end = min((w for w in worse if w > bound), default=max(numbers) + 1)
            expected = sum(n for times, n in numbers.items() if bound <= times < end)
            assert number(companies) == expected
            assert number(about) == numbers.get(bound - 1, 0)


@pytest.mark.parametrize("field", FIELDS)
def test_the_use_by_a_field(counted: Demo, field: str) -> None:
    key = "report_created"
    expected = counted.pairs(
        """
        select traits ->> %(field)s, count(*), count(events), coalesce(sum(events), 0)
        from customers c left join (
            select company_id, count(*) as events from events where organization_id = %(id)s
            and event_key = %(key)s and occurred_at > %(now)s - interval '30 days' group by 1
        ) e on e.company_id = c.id where organization_id = %(id)s group by 1
        """,
        field=field,
        key=key,
    )
    shown = table_of(counted.page(f"/insights/{key}?by={field}"), f"Usage by {field}")
    assert {value: cells for value, *cells in shown} == {
        value: [
            str(companies),
            str(active),
            share(active, companies),
            f"{Decimal(events) / companies:,.1f}",
        ]
        for value, (companies, active, events) in expected.items()
    }


def cells_of(recount: Recount) -> list[str]:
    """Return how the report writes a recount."""

    def money(amount: Decimal, companies: int) -> str:
        if not companies:
            return "–"
        return f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}"

    days = "–" if recount.days is None else f"{round(recount.days, 1)}".removesuffix(".0")
    false = recount.false_alarms
    return [
        str(recount.warned),
        str(recount.missed),
        f"{false} {share(false, false + recount.warned)}" if false else "0",
        str(recount.undecided),
        days,
        money(recount.warned_amount, recount.warned),
        money(recount.missed_amount, recount.missed),
    ]


@pytest.mark.parametrize("horizon", [30, 90, 180])
def test_the_report_of_outcomes(counted: Demo, horizon: int) -> None:
    recounter, today = Recounter(counted.id), AT.date()
    page = counted.page(f"/outcomes?within={horizon}")
    by_flag = table_of(page, "Warnings by flag")
    assert len(by_flag) == len(recounter.flags)
    for name, *cells in by_flag:
        flag = "" if name == "Status of the company" else name
        assert cells == cells_of(recounter.count(flag, None, horizon, today)), name
    quarters = [date(2026, 4, 1), date(2026, 1, 1), date(2025, 10, 1), date(2025, 7, 1)]
    for quarter, (_, *cells) in zip(quarters, table_of(page, "Warnings by quarter"), strict=False):
        assert cells == cells_of(recounter.count("", quarter, horizon, today)), quarter
    whole = recounter.count("", None, horizon, today)
    losses = counted.rows(
        "select count(*) as companies, sum(amount) as amount from outcomes"
        " where organization_id = %(id)s and kind = 'left' and day >= date '2024-07-01'"
    )[0]
    large = only(page, "ul", "large-figures").findall("li")
    left, warned, days, alarms = [text(figure) for figure in large]
    assert left == f"Left {losses['companies']} lost {losses['amount']:,.0f}"
    assert warned == (
        f"Warned {share(whole.warned, losses['companies'])} {whole.warned} of"
        f" {losses['companies']}, worth {whole.warned_amount:,.0f}"
    )
    assert days.startswith(f"Days of warning {round(whole.days or 0)} ")
    false = whole.false_alarms
    assert alarms == (
        f"False alarms {false} {share(false, false + whole.warned)} of the alarms that are decided;"
        f" {whole.undecided} undecided"
    )


@pytest.mark.parametrize("kind", ["lost", "warned", "missed", "false-alarms", "undecided"])
def test_the_companies_behind_a_number_are_as_many(counted: Demo, kind: str) -> None:
    recount = Recounter(counted.id).count("Creates reports", None, 90, AT.date())
    expected = {
        "lost": recount.warned + recount.missed,
        "warned": recount.warned,
        "missed": recount.missed,
        "false-alarms": recount.false_alarms,
        "undecided": recount.undecided,
    }[kind]
    path, listed = f"/outcomes/companies/{kind}?flag=Creates+reports&within=90", 0
    lead = text(only(counted.page(path), "p", "lead"))
    assert lead.startswith(f"{expected} ")
    while path:
        page = counted.page(path)
        listed += sum(len(rows(table)) for table in select(page, "table"))
        following = select(page, "a", rel="next")
        path = following[0].get("href", "") if following else ""
    assert listed == expected


def test_all_outcomes_by_kind(demo: Demo) -> None:
    page = demo.page("/outcomes/all")
    counts = {}
    for link in select(only(page, "nav", aria_label="Kind"), "a"):
        name, count = text(link).split()
        counts[name.lower()] = number(count)
        path, listed = link.get("href", ""), 0
        while path:
            part = demo.page(path)
            listed += len(rows(only(part, "table")))
            following = select(part, "a", rel="next")
            path = following[0].get("href", "") if following else ""
        assert listed == number(count)
    expected = demo.pairs(
        "select kind, count(*) from outcomes where organization_id = %(id)s group by 1"
    )
    assert counts.pop("all") == sum(expected.values())
    assert counts == expected
