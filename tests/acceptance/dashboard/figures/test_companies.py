"""Companies: totals and counts of each filter, its values, its rows and its CSV equal a recount."""

import csv
import io
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from tests.support.dashboard.demo_figures import Demo
from tests.support.dashboard.elements import number, only, rows, select, text

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]  # generating takes a minute

OWNER = "hana.saito@brightdesk.example"
TODAY = "date '2026-05-20'"
RAISED = "exists (select from raised r where r.company_id = c.id and r.flag = 'Usage drop'"
EVENTS = (
    "(select max(occurred_at) from events e where e.organization_id = %(id)s and company_id = c.id)"
)
CRM = "(select crm_provider from companies o where o.organization_id = %(id)s and o.id = c.id)"
SCORE = "(select score from scores s where s.company_id = c.id)"

FILTERS = [
    ("", "true"),
    ("q=labs", "name ilike '%%labs%%'"),
    ("q=CO_101", "external_id ilike '%%co_101%%'"),
    ("left=no", "left_on is null"),
    ("left=only", "left_on is not null"),
    (f"owner={OWNER.upper()}", f"owner = '{OWNER}'"),
    (f"not.owner={OWNER}", f"owner is distinct from '{OWNER}'"),
    ("contains.owner=LINDQVIST", "owner ilike '%%lindqvist%%'"),
    ("owner=", "owner is null"),
    ("value=1392", "value = 1392"),
    ("above.value=5616", "value > 5616"),
    ("min.value=5616", "value >= 5616"),
    ("below.value=1392", "value < 1392"),
    ("max.value=1392", "value <= 1392"),
    ("next.renewal=30", f"renews_on between {TODAY} and {TODAY} + 30"),
    ("next.renewal=90", f"renews_on between {TODAY} and {TODAY} + 90"),
    ("last.renewal=60", f"renews_on between {TODAY} - 60 and {TODAY}"),
    ("before.renewal=2026-07-01", "renews_on < date '2026-07-01'"),
    ("after.renewal=2026-07-01", "renews_on > date '2026-07-01'"),
    ("below.score=60", f"{SCORE} < 60"),
    ("score=100", f"{SCORE} = 100"),
    ("after.since=2026-04-30", "since >= timestamptz '2026-05-01 00:00Z'"),
    ("last-event=", f"{EVENTS} is null"),
    ("before.last-event=2026-05-18", f"{EVENTS} < timestamptz '2026-05-18 00:00Z'"),
    ("field.plan=team", "traits ->> 'plan' = 'Team'"),
    ("field.plan=Team&field.plan=Starter", "traits ->> 'plan' in ('Team', 'Starter')"),
    ("not.field.plan=Team", "traits ->> 'plan' is distinct from 'Team'"),
    ("field.nps=", "traits ->> 'nps' is null"),
    ("not.field.nps=", "traits ->> 'nps' is not null"),
    ("below.field.nps=6", "(traits ->> 'nps')::numeric < 6"),
    ("above.field.seats=20", "(traits ->> 'seats')::numeric > 20"),
    ("contains.field.industry=re", "traits ->> 'industry' ilike '%%re%%'"),
    ("field.crm_provider=hubspot", f"{CRM} = 'hubspot'"),
    ("flag=Usage drop", f"{RAISED})"),
    ("flag=Usage drop&flag_status=At Risk", f"{RAISED} and r.status = 'At Risk')"),
    ("not.flag=Usage drop", f"not {RAISED})"),
    ("flag=Usage drop&flag=Creates reports",
     f"{RAISED}) and {RAISED.replace('Usage drop', 'Creates reports')})"),
    ("field.plan=Team&above.value=900&left=no",
     "traits ->> 'plan' = 'Team' and value > 900 and left_on is null"),
]  # fmt: skip
"""Query strings, and the conditions that they stand for."""


def listed(demo: Demo, condition: str) -> dict[str, tuple[int, Decimal]]:
    return demo.pairs(
        "select status, count(*), coalesce(sum(value), 0) from customers c"
        f" where organization_id = %(id)s and ({condition}) group by 1"
    )


@pytest.mark.parametrize(("query", "condition"), FILTERS)
def test_the_totals_of_a_filter_and_its_export(demo: Demo, query: str, condition: str) -> None:
    by_status = listed(demo, condition)
    total = sum(companies for companies, _ in by_status.values())
    page = demo.page(f"/companies?{query}")
    pills = only(page, "nav", aria_label="Status")
    counts = {
        text(link).rsplit(" ", 1)[0]: number(text(only(link, "span", "count")))
        for link in select(pills, "a")
    }
    assert counts.pop("All") == total
    assert {status: count for status, count in counts.items() if count} == {
        status: companies for status, (companies, _) in by_status.items()
    }
    assert demo.companies(f"/companies?{query}") == total
    for status, (companies, _) in by_status.items():
        assert demo.companies(f"/companies?{query}&{urlencode({'status': status})}") == companies
    exported = list(csv.DictReader(io.StringIO(demo.text(f"/companies.csv?{query}"))))
    assert len(exported) == total
    assert sum(Decimal(row["value"] or 0) for row in exported) == sum(
        value for _, value in by_status.values()
    )
    if total:
        button = only(page, "a", "button", title="Times are in UTC")
        assert number(text(button).split()[1]) == total


def test_mine_are_the_companies_of_the_owners_that_mean_the_reader(demo: Demo) -> None:
    owners = demo.value(
        "select owner_values from memberships m join people p on p.id = m.person_id"
        " where m.organization_id = %(id)s and email = %(reader)s"
    )
    expected = demo.value(
        "select count(*) from customers where organization_id = %(id)s and owner = any(%(owners)s)",
        owners=owners,
    )
    assert expected
    assert demo.companies("/companies?owner=me") == expected


def test_the_statuses_of_a_flag_are_those_of_its_companies(demo: Demo) -> None:
    for flag, status in [
        ("Seats in use", "N/A"),
        ("Payment", "Healthy"),
        ("Gone quiet", "Critical"),
    ]:
        expected = demo.value(
            """
            select count(*) from flag_states where organization_id = %(id)s and flag = %(flag)s
            and coalesce(status, 'N/A') = %(status)s
            """,
            flag=flag,
            status=status,
        )
        assert demo.companies(f"/companies?{urlencode({'flag': flag, 'flag_status': status})}") == (
            expected
        )


VALUES = {
    "owner": "owner",
    "value": "trim_scale(value)::text",
    "status": "status",
    "field.plan": "traits ->> 'plan'",
    "field.region": "traits ->> 'region'",
    "field.industry": "traits ->> 'industry'",
    "field.nps": "traits ->> 'nps'",
    "field.seats": "traits ->> 'seats'",
    "field.crm_provider": CRM,
}


@pytest.mark.parametrize(("subject", "expression"), VALUES.items())
def test_the_offered_values_of_a_field_have_their_counts(
    demo: Demo, subject: str, expression: str
) -> None:
    expected = demo.pairs(
        f"select coalesce({expression}, 'empty'), count(*) from customers c"
        " where organization_id = %(id)s group by 1"
    )
    page = demo.page(f"/field-values?add_field={subject}")
    offered = {
        text(link).rsplit(" ", 1)[0].replace(",", ""): (
            number(text(only(link, "span", "count"))),
            link,
        )
        for link in select(page, "a")
    }
    assert offered
    for value, (count, link) in offered.items():
        assert expected[value] == count
        assert demo.companies(link.get("href", "")) == count
    different = number(text(only(page, "p", "quiet")).split()[0])
    assert different == len(expected.keys() - {"empty"})
    others = [expected[value] for value in expected.keys() - offered.keys()]
    assert max(others, default=0) <= min(count for count, _ in offered.values())


def test_the_rows_of_the_list(demo: Demo) -> None:
    path, seen = "/companies?sort=-value", 0
    expected = {
        row["name"]: row
        for row in demo.rows(
            """
            select name, status, owner, value, renews_on, (
                select score from scores s where s.company_id = c.id
            ) as score, (
                select count(*) from raised r where r.organization_id = %(id)s
                and r.company_id = c.id
            ) as raised, (
                select count(distinct floor(extract(epoch from %(now)s - occurred_at) / 86400))
                from events e where e.organization_id = %(id)s and e.company_id = c.id
                and occurred_at > %(now)s - interval '84 days' and occurred_at <= %(now)s
            ) as active_days
            from customers c where organization_id = %(id)s
            """
        )
    }
    values = []
    while path:
        page = demo.page(path)
        for row in rows(only(page, "table", "companies")):
            cells = {cell.get("data-title"): cell for cell in row}
            company = expected[text(only(row[1], "a"))]
            assert text(only(cells["Status"], "bdi", "mark")) == company["status"]
            assert only(cells["Owner"], "bdi").get("title") == company["owner"]
            assert number(text(cells["Value"])) == company["value"]
            assert only(cells["Renewal"], "time").get("datetime") == str(company["renews_on"])
            assert number(text(cells["Score"])) == company["score"]
            reasons = select(cells["Why"], "bdi", "reason")
            more = [text(item) for item in select(cells["Why"], "li", "quiet")]
            hidden = int(more[0].split(":")[0]) if more else 0
            assert len(reasons) + hidden == company["raised"]
            label = text(only(cells["Activity"], "title"))
            assert sum(map(int, label.split(": ")[1].split(","))) == company["active_days"]
            values.append(company["value"])
            seen += 1
        following = select(page, "a", rel="next")
        path = following[0].get("href", "") if following else ""
    assert seen == len(expected)
    assert values == sorted(values, reverse=True)
