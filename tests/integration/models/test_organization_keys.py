"""Keys and indexes begin with `organization_id`, and each statement is about one organization.

A distributed PostgreSQL can then keep the rows of an organization on one of its servers.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from models import across_organizations
from models.companies import companies
from models.database import database, execute, query
from tests.support.routability import Planner

SHARED = {
    "memberships_of_person": "memberships belong to people as well",
    "companies_by_traits": "an index of the kind GIN has no order",
}
ACROSS_ORGANIZATIONS = {
    "api_keys_by_digest",
    "companies_unsettled",
    "deliveries_due_at",
    "event_weeks_touched",
    "flag_overrides_due",
    "flag_states_due",
    "notification_messages_due",
    "rule_versions_by_time",
    "webhook_endpoints_to_probe",
}
"""The indexes of `models.across_organizations`."""

FIRST_COLUMNS = """
    with tenant_tables as (
        select attrelid from pg_attribute a join pg_class c on c.oid = a.attrelid
        where attname = 'organization_id' and not attisdropped and relkind in ('r', 'p')
            and relnamespace = current_schema()::regnamespace
    )
    select i.indexrelid::regclass::text as name, i.indisunique as is_key, a.attname as first
    from pg_index i join tenant_tables t on t.attrelid = i.indrelid
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    union all
    select f.conname, true, a.attname
    from pg_constraint f join tenant_tables child on child.attrelid = f.conrelid
        join tenant_tables parent on parent.attrelid = f.confrelid
        join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
    where f.contype = 'f'
    order by 1
"""


@pytest.fixture(autouse=True)
def undo_changes(settings: Settings) -> Iterator[None]:
    """Run the test in a transaction that is rolled back."""
    with database.connection_context(), database.atomic() as transaction:
        yield
        transaction.rollback()


def faults() -> list[str]:
    return [
        row["name"]
        for row in query(FIRST_COLUMNS)
        if row["first"] != "organization_id"
        and (row["is_key"] or row["name"] not in {*SHARED, *ACROSS_ORGANIZATIONS})
    ]


def test_every_key_and_index_of_a_tenant_table_begins_with_the_organization() -> None:
    assert faults() == []


def test_every_exception_is_an_index() -> None:
    names = {row["name"] for row in query(FIRST_COLUMNS)}
    assert names >= {*SHARED, *ACROSS_ORGANIZATIONS}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("create unique index wrong on users (id)", "wrong"),
        ("create index wrong on users (company_id, organization_id)", "wrong"),
        ("create index wrong on users (lower(name))", "wrong"),
        ("alter table users add constraint wrong unique (external_id)", "wrong"),
        (("alter table deliveries add constraint wrong foreign key (id)"
          " references transitions (id)"), "wrong"),
        ("create table wrong (id bigint primary key, organization_id bigint)", "wrong_pkey"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_index_is_found(change: str, fault: str) -> None:
    execute("create unique index transitions_by_id on transitions (id)")
    known = faults()
    execute(change)
    assert [name for name in faults() if name not in known] == [fault]


ELSEWHERE = Path(companies.__file__)
ACROSS = Path(across_organizations.__file__)
TWO_TABLES = (
    "select f.flag from companies c join flag_states f on f.company_id = c.id"
    " where c.organization_id = 1"
)
FROM_JSON = (
    "insert into event_arrivals select * from json_to_recordset('[]') as v (organization_id bigint,"
    " event_key text, hour timestamptz, events bigint, last_at timestamptz)"
)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("select name from companies where id = 1", "organization_id for companies"),
        ("update users set name = 'n' where id = any(array[1, 2])", "organization_id for users"),
        ("delete from deliveries where state = 'failed'", "organization_id for deliveries"),
        (TWO_TABLES, "organization_id for flag_states"),
        ("select from companies where organization_id in (1, 2)", "organization_id for companies"),
        ("select from users where organization_id = (select 1)", "organization_id for users"),
        (FROM_JSON, "neither VALUES nor COPY"),
        ("select no_such_column from companies", "cannot be planned"),
    ],
)  # fmt: skip
def test_a_statement_about_several_organizations_is_found(
    planner: Planner, statement: str, fault: str
) -> None:
    found = planner.find_fault(statement, ELSEWHERE)
    assert found is not None
    assert fault in found


@pytest.mark.parametrize(
    "statement",
    [
        "select name from companies where organization_id = 1 and id = 1",
        f"{TWO_TABLES} and f.organization_id = c.organization_id",
        "insert into event_arrivals values (1, 'k', now(), 1, now())",
        "select now()",
    ],
)
def test_a_statement_about_one_organization_is_not(planner: Planner, statement: str) -> None:
    assert planner.find_fault(statement, ELSEWHERE) is None


def test_only_one_module_may_ask_about_all_organizations(planner: Planner) -> None:
    statement = "select organization_id from companies where id = 1"
    assert planner.find_fault(statement, ACROSS) is None
    assert planner.find_fault(statement, ELSEWHERE)
