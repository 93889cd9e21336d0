"""Companies whose evaluation is pending: a new event, or newer rules."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from models.database import query

UNSETTLED = "companies where unsettled_since < %(until)s"


# A list of pairs would be compared with each row, one after another.
_NOT_LEFT_OUT = """
    and not exists (
        select from unnest(%(left_out_ids)s::bigint[], %(left_out_states)s::text[])
            as left_out (company_id, state)
        where left_out.company_id = companies.id and left_out.state = companies.xmin::text
    )
"""


class UnsettledCompany(NamedTuple):
    """A company with an event that is not evaluated; `state` differs after every update."""

    organization_id: int
    company_id: int
    state: str


def find_unsettled(
    *,
    until: datetime,
    limit: int,
    leave_out: Sequence[tuple[int, str]] = (),
    organizations: Collection[int] | None = None,
    except_organizations: Collection[int] = (),
) -> list[UnsettledCompany]:
    """Return companies with an event that took effect before `until` and is not evaluated yet.

    `leave_out` has companies and states to skip. Those that have waited longest come first.
    `organizations` are the only ones, or None for all.
    """
    rows = query(
        f"select organization_id, id as company_id, xmin::text as state from {UNSETTLED}"
        + (_NOT_LEFT_OUT if leave_out else "")
        + (" and organization_id = any(%(only)s)" if organizations is not None else "")
        + (" and organization_id <> all(%(without)s)" if except_organizations else "")
        + " order by unsettled_since limit %(limit)s",
        {
            "until": until,
            "limit": limit,
            "left_out_ids": [company_id for company_id, _ in leave_out],
            "left_out_states": [state for _, state in leave_out],
            "only": list(organizations or ()),
            "without": list(except_organizations),
        },
    )
    return [UnsettledCompany(**row) for row in rows]


# The order makes it a probe of companies_by_judged_version: the planner cannot know that there is
# nearly always none, and would scan the table for the first one.
JUDGED_BY_OLDER_RULES = (
    "organizations o join rule_versions v on v.organization_id = o.id"
    " and v.version = o.rules_version and v.applied_at <= %(until)s"
    " cross join lateral (select id from companies where organization_id = o.id"
    " and judged_version < o.rules_version order by judged_version limit %(limit)s) c"
)


def find_judged_by_older_rules(
    *, until: datetime, limit: int, except_organizations: Collection[int] = ()
) -> list[tuple[int, int]]:
    """Return companies that were last evaluated with older rules than those in force at `until`.

    Each with its organization first. `limit` is for each organization.
    """
    rows = query(
        f"select o.id as organization_id, c.id from {JUDGED_BY_OLDER_RULES}"
        + (" where o.id <> all(%(without)s)" if except_organizations else ""),
        {"until": until, "limit": limit, "without": list(except_organizations)},
    )
    return [(row["organization_id"], row["id"]) for row in rows]


def count_judged_by_older_rules(organization_id: int) -> int:
    """Count the companies of an organization that are not evaluated with the rules in force yet."""
    rows = query(
        "select count(*) as number from companies c join organizations o"
        " on o.id = c.organization_id where o.id = %(organization_id)s"
        " and c.judged_version < o.rules_version",
        {"organization_id": organization_id},
    )
    number: int = rows[0]["number"]
    return number
