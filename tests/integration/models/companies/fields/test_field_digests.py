"""Repeated field values are stored without reading rows, as if each had been read and merged."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.companies import companies, company_intake, users
from models.companies.fields.field_digests import FieldDigest, combine_digests
from models.companies.fields.field_merge import to_microseconds
from models.database import execute, query, transaction
from services.events.records import FieldUpdate, PlacedRecord
from services.rules.rule_books import RuleBooks
from tests.support.events import tracked
from tests.support.in_transactions import store
from tests.support.world import START, World, after

RULES = """
version: 1
events: {login: , report: }
flags:
  - {flag: Logs in, event: login, when: {At Risk: less than 2 times in 10 seconds}}
  - {flag: Reports less, event: report, when: {At Risk: down 50% in 20 seconds}}
  - {flag: Free, when: {At Risk: company.plan is Free}}
"""

pytestmark = pytest.mark.usefixtures("settings")


class Sent(NamedTuple):
    """An event in brief, or an update if it has no key; `seconds` after the start."""

    company: str
    user: str | None
    plan: str | None
    email: str | None
    seconds: int
    key: str | None = "login"


def new_organization() -> int:
    return World.create(RULES).id


def event(organization_id: int, sent: Sent) -> PlacedRecord:
    at, plan = after(sent.seconds), {"plan": sent.plan} if sent.plan else {}
    user = {"email": sent.email} if sent.user and sent.email else {}
    if sent.key is None:
        return FieldUpdate(organization_id, None, sent.company, plan, sent.user, user, at, at)
    company = {"name": sent.company.upper(), **plan}
    return tracked(
        organization_id,
        sent.company,
        at,
        key=sent.key,
        company=company,
        user_id=sent.user,
        user=user,
    )


def store_events(organization_id: int, *sent: Sent) -> int:
    """Store events and return the number of companies to evaluate."""
    return len(store([event(organization_id, brief) for brief in sent], RuleBooks()))


def settle_all(organization_id: int, awaiting: list[str]) -> None:
    """Mark all companies as evaluated, with these flags awaiting an event."""
    with transaction():
        execute(
            "update companies set unsettled_since = null, judged_version = 1,"
            " awaiting = %(awaiting)s where organization_id = %(id)s",
            {"id": organization_id, "awaiting": awaiting},
        )


def forget_digests(organization_id: int) -> None:
    """Remove the digests, so that every row is read and merged."""
    with transaction():
        for table in ("companies", "users"):
            execute(
                f"update {table} set said = null where organization_id = %(id)s",
                {"id": organization_id},
            )


def read_state(organization_id: int) -> list[Any]:
    """Return all that is stored of companies, users and the history of fields."""
    with transaction():
        rows = companies.read_page(organization_id, after_id=0, limit=100)
        user_rows = query(
            "select c.id, c.external_id as company, u.id as row, u.external_id, u.email, u.traits,"
            " u.fields_at, u.company_at, u.first_seen_at, case when u.moved_at = u.company_at"
            " then u.event_at else u.company_at end as last_event_at from users u join companies c"
            " on c.id = u.company_id where u.organization_id = %(id)s order by u.external_id",
            {"id": organization_id},
        )
        history = query(
            "select c.external_id, field, at, f.value from field_changes f join companies c"
            " on c.id = f.company_id where c.organization_id = %(id)s order by 1, 2, 3",
            {"id": organization_id},
        )
    return [
        [
            (company.external_id, company.traits.core, company.traits.custom,
             company.traits.fields_at, company.traits.changed_at, company.traits.newest_event_at,
             company.first_seen_at, company.unsettled_since)
            for company in sorted(rows, key=lambda company: company.external_id)
        ],
        [
            (user["company"], user["external_id"], user["email"], user["company_at"],
             user["first_seen_at"], user["last_event_at"],
             {name: at or to_microseconds(user["company_at"])
              for name, at in user["fields_at"].items()})
            for user in user_rows
        ],
        history,
    ]  # fmt: skip


events = st.builds(
    Sent,
    st.sampled_from(["acme", "bolt"]),
    st.sampled_from(["ann", "bob", None]),
    st.sampled_from(["Pro", "Pro", "Pro", "Free", None]),
    st.sampled_from(["a@b.example", "a@b.example", "c@d.example", None]),
    st.integers(0, 12),
    st.sampled_from(["login", "login", "report", None]),
)
awaited_flags = st.lists(st.sampled_from(["Logs in", "Reports less"]), unique=True)


@given(st.lists(st.tuples(st.lists(events, min_size=1, max_size=4), awaited_flags), max_size=6))
def test_storing_without_reading_has_the_same_result_as_reading_every_row(
    groups: list[tuple[list[Sent], list[str]]],
) -> None:
    briefly, fully = new_organization(), new_organization()
    for group, awaiting in groups:
        forget_digests(fully)
        for organization_id in (briefly, fully):
            settle_all(organization_id, awaiting)
        assert store_events(briefly, *group) == store_events(fully, *group)
        assert read_state(briefly) == read_state(fully)


def test_a_row_is_not_read_if_an_event_repeats_its_values() -> None:
    organization_id = new_organization()
    first = Sent("acme", "ann", "Pro", "a@b.example", 0)
    store_events(organization_id, first)
    [company], [user] = read_state(organization_id)[:2]
    with transaction():
        [row] = query("select c.id as company, u.id as row, c.said, u.said as of_user"
                      " from companies c join users u on u.company_id = c.id")  # fmt: skip
        o, company_id, user_id, at = organization_id, row["company"], row["row"], after(5)
        same = FieldDigest(company_id, row["said"], at, at)
        assert company_intake.lock_for_intake(o, [same])[company_id].traits is None
        assert users.lock_for_intake(o, [FieldDigest(user_id, row["of_user"], at, at)]) == {}
        other = "0" * 32
        locked = company_intake.lock_for_intake(o, [FieldDigest(company_id, other, at, at)])
        assert locked[company_id].traits is not None
        assert users.lock_for_intake(o, [FieldDigest(user_id, other, at, at)]).keys() == {user_id}
    [moved], [moved_user] = read_state(organization_id)[:2]
    assert (company[5], moved[5], user[3], moved_user[3]) == (START, at, START, at)


@pytest.mark.parametrize(
    ("seconds", "companies_to_evaluate"), [((9, 12), 0), ((6, 12), 1), ((12, 9), 1), ((8, 8), 0)]
)
def test_a_late_event_among_repeated_ones_takes_effect(
    seconds: tuple[int, ...], companies_to_evaluate: int
) -> None:
    organization_id = new_organization()
    for at in (0, 8):
        store_events(organization_id, Sent("acme", None, "Pro", None, at, "report"))
    settle_all(organization_id, awaiting=[])
    sent = [Sent("acme", None, "Pro", None, at, "report") for at in seconds]
    assert store_events(organization_id, *sent) == companies_to_evaluate


def test_a_combined_digest_is_none_if_any_event_differs() -> None:
    first, second, third = (after(n) for n in range(3))
    digests = [(1, "a", second), (2, "a", third), (1, "a", third), (1, "a", first), (2, "b", first)]
    assert combine_digests(digests) == [
        FieldDigest(1, "a", first, third),
        FieldDigest(2, None, first, third),
    ]
