"""Every figure about filtered companies equals a recount in Python, with the rules' own reading."""

import operator
import re
import unicodedata
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.filters.field_filters import ME, FieldFilter, Verb, conditions
from models.companies import company_list
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import Order, Sorting
from models.companies.filters.field_values import count_values
from models.database import query
from rules.phrases.fields import as_instant, as_number
from rules.team import TeamFields, team_values
from services.team_columns import unusable_fields
from tests.support.companies.lists import NOW, ListCompany, add, exported, ids, organization, walk

pytestmark = pytest.mark.usefixtures("in_transaction")

STATUSES = ("Healthy", "At Risk", "Critical")
READER = ("ann@acme.com", "Zoë")
TODAY = NOW.date()

AWKWARD: tuple[Any, ...] = (
    None, "", "  ", 0, 5, 5.0, "5", " 5 ", "5.0", "-5", "1e3", "1E+3", ".5", "5.", "1,000", "$5",
    "5_0", "NaN", "Infinity", "1e999", True, False, "true", [], {}, ["a"], {"b": 1}, "Zoë",
    "ZOE", "zoe ", "ß", "SS", "Ørsted", "orsted", "Ⅷ", "100%", "a_b", "\\", "'", "n/a", "日本",
    "2026-01-20", "20260121", "2026-02-29", "2024-02-29", "2026-13-01",
    "2026-01-20T23:30:00-05:00", "2026-01-21T00:30+14:00", "2026-01-19T23:59:59.999999Z",
    "2026-01-20 10:30", "20260120T103000Z", "2026-01-20T25:00", "26-01-20", "2026-1-20",
    "0001-01-01", "9999-12-31", 20260120,
)  # fmt: skip
"""Values that clients send; what only rules read is not among them, see `value_forms`."""

TYPED = (
    "", "5", "5.0", "zoe", "ZOË", "ss", "orsted", "true", "1000", "%", "_", "'", "n/a", "a",
    "me", "-1e3", "2026-01-20", "2026-01-21", "0001-01-01", "9999-12-31", "1", "30", "0",
    "3660", "viii", "[]",
)  # fmt: skip
"""What people type into filters."""

companies = st.lists(
    st.builds(
        ListCompany,
        id=st.just(""),
        status=st.sampled_from(STATUSES),
        score=st.none() | st.integers(0, 100),
        days=st.none() | st.sampled_from([0.0, 1.0, 29.9, 30.6, 31.0]),
        quiet=st.none() | st.sampled_from([0.0, 0.6, 1.0]),
        traits=st.fixed_dictionaries({}, optional={"f": st.sampled_from(AWKWARD)}),
        crm_provider=st.none() | st.sampled_from(["HubSpot", " "]),
        owner=st.none() | st.sampled_from(["Ann@Acme.com", "zoé", "5", "Ben"]),
        value=st.none() | st.sampled_from([Decimal("-0.01"), Decimal(5), Decimal(1000)]),
        renews_on=st.none() | st.sampled_from([TODAY, TODAY + timedelta(30), date.min, date.max]),
    ),
    max_size=10,
)
subjects = st.sampled_from(
    ["field.f", "field.crm_provider", "owner", "value", "renewal", "score", "since", "last-event"]
)
filters = st.lists(
    st.builds(FieldFilter, subjects, st.sampled_from(Verb), st.sampled_from(TYPED)), max_size=3
)


def fold(text: str) -> str:
    plain = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text)).lower()
    plain = plain.translate(str.maketrans("øđłħŧıŋ", "odlhtin"))
    for letter, typed in (("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("þ", "th")):
        plain = plain.replace(letter, typed)
    return plain


def value_of(company: ListCompany, subject: str) -> Any:
    return {
        "field.f": (company.traits or {}).get("f"),
        "field.crm_provider": company.crm_provider,
        "owner": company.owner,
        "value": company.value,
        "renewal": company.renews_on,
        "score": company.score,
        "since": NOW - timedelta(days=100 if company.days is None else company.days),
        "last-event": None if company.quiet is None else NOW - timedelta(days=company.quiet),
    }[subject]


def text_of(value: Any) -> str:
    if value is None or isinstance(value, str):
        return (value or "").strip()
    if isinstance(value, bool | list | dict):
        return re.sub(r"([,:])(?=\S)", r"\1 ", orjson.dumps(value).decode())
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


def day_of(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    if isinstance(value, date):
        return value
    at = as_instant(value)
    return at.date() if at else None


def number_of(value: Any) -> Decimal | None:
    return None if isinstance(value, date) else as_number(value)


def is_equal(value: Any, text: str) -> bool:
    if not text:
        return text_of(value) == ""
    if isinstance(value, datetime):
        return day_of(value) == day_of(text)
    expected = as_number(text)
    if expected is not None and number_of(value) == expected:
        return True
    return text_of(value) != "" and fold(text_of(value)) == fold(text)


def matches(company: ListCompany, given: FieldFilter) -> bool:
    """Whether a company matches one filter, apart from `not`, which is the opposite of `is`."""
    value, text = value_of(company, given.subject), given.value
    if given.subject == "owner" and text == ME and given.verb in (Verb.IS, Verb.NOT):
        return any(is_equal(value, owner) for owner in READER)
    if given.problem:
        return False
    if given.verb in (Verb.IS, Verb.NOT):
        return is_equal(value, text)
    if given.verb is Verb.CONTAINS:
        return text_of(value) != "" and fold(text) in fold(text_of(value))
    if given.verb in COMPARED:
        number = number_of(value)
        return number is not None and COMPARED[given.verb](number, Decimal(text))
    day = day_of(value)
    return day is not None and is_near(day, given.verb, text)


COMPARED = {
    Verb.ABOVE: operator.gt,
    Verb.BELOW: operator.lt,
    Verb.AT_LEAST: operator.ge,
    Verb.AT_MOST: operator.le,
}


def is_near(day: date, verb: Verb, text: str) -> bool:
    if verb is Verb.BEFORE:
        return day < date.fromisoformat(text)
    if verb is Verb.AFTER:
        return day > date.fromisoformat(text)
    days = timedelta(int(text))
    return TODAY <= day <= TODAY + days if verb is Verb.NEXT else TODAY - days <= day <= TODAY


def matches_all(company: ListCompany, filters: list[FieldFilter]) -> bool:
    by_name: dict[str, list[bool]] = {}
    for given_ in filters:
        by_name.setdefault(given_.name, []).append(matches(company, given_))
    return all(any(results) != name.startswith("not.") for name, results in by_name.items())


def fresh(given: list[ListCompany]) -> tuple[int, list[ListCompany]]:
    query("delete from companies; delete from organizations")
    o = organization()
    numbered = [ListCompany(**{**vars(c), "id": f"c{n:02}"}) for n, c in enumerate(given)]
    add(o, *numbered)
    return o, numbered


@given(companies, filters, st.none() | st.sampled_from(STATUSES))
def test_companies_total_and_counts_by_status_equal_a_recount(
    given_: list[ListCompany], filters: list[FieldFilter], status: str | None
) -> None:
    o, numbered = fresh(given_)
    company_filter = CompanyFilter(status=status, conditions=conditions(filters, READER, TODAY))
    page = company_list.read_page(o, company_filter)
    expected = [company for company in numbered if matches_all(company, filters)]
    assert page.counts == Counter(company.status for company in expected)
    listed = sorted(c.id for c in expected if status in (None, c.status))
    assert (sorted(ids(page.companies)), page.total) == (listed, len(listed))
    assert sorted(ids(exported(o, company_filter))) == listed


@given(companies, subjects)
def test_counts_of_values_equal_a_recount_and_what_their_filters_find(
    given_: list[ListCompany], subject: str
) -> None:
    o, numbered = fresh(given_)
    values = count_values(o, subject, limit=100)
    assert values
    assert values.without == sum(text_of(value_of(c, subject)) == "" for c in numbered)
    assert values.without + sum(v.companies for v in values.frequent) == len(numbered)
    assert values.different == len(values.frequent)
    if subject not in ("since", "last-event"):
        for value in values.frequent:
            found = FieldFilter(subject, Verb.IS, value.text)
            assert value.companies == sum(matches(c, found) for c in numbered), value
            company_filter = CompanyFilter(conditions=conditions([found], READER, TODAY))
            assert company_list.read_page(o, company_filter).total == value.companies


def sort_key(company: ListCompany) -> tuple[int, Decimal, str]:
    """Return the place of a company in the order of its field, without the direction."""
    value = value_of(company, "field.f")
    number = number_of(value)
    if number is not None:
        return 0, number, fold(value) if isinstance(value, str) else ""
    return (1, Decimal(0), fold(text_of(value))) if text_of(value) else (2, Decimal(0), "")


@given(companies, st.booleans(), st.integers(1, 4))
def test_a_field_sorts_numbers_before_texts_and_nothing_last(
    given_: list[ListCompany],
    descending: bool,  # noqa: FBT001 -- hypothesis passes it by position
    limit: int,
) -> None:
    o, numbered = fresh(given_)
    walked = walk(o, CompanyFilter(), Sorting(Order.FIELD, descending, STATUSES, "field.f"), limit)
    by_id = {company.id: company for company in numbered}
    keys = [sort_key(by_id[company]) for company in walked]
    filled = [key for key in keys if key[0] < 2]
    assert sorted(walked) == sorted(by_id)
    assert filled == sorted(filled, reverse=descending)
    assert keys[: len(filled)] == filled


@given(
    st.lists(st.sampled_from(AWKWARD), max_size=8), st.sampled_from(["owner", "value", "renewal"])
)
def test_unusable_values_equal_a_recount(values: list[Any], key: str) -> None:
    o, _ = fresh([ListCompany("", traits={"f": value}) for value in values])
    only = TeamFields(**{key: ("f",)})
    unusable = [
        value
        for value in values
        if text_of(value) and team_values(only, {"f": value}) == team_values(only, {})
    ]
    found = unusable_fields(o, only)
    assert sum(field.companies for field in found) == len(unusable)
    for field in found:
        assert (field.key, field.field) == (key, "f")
        shown = {
            value if isinstance(value, str) else orjson.dumps(value).decode() for value in unusable
        }
        assert set(field.examples) <= shown
        assert len(field.examples) <= 3
