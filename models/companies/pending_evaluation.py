"""Companies whose evaluation is pending: a new event, or newer rules."""

from collections.abc import Sequence
from datetime import datetime

from models.database import query

UNSETTLED = "companies where unsettled_since < %(until)s"


def find_unsettled(
    *, until: datetime, limit: int, leave_out: Sequence[tuple[int, str]] = ()
) -> list[tuple[int, str]]:
    """Return companies with an event that took effect before `until` and is not evaluated yet.

    Each comes with the version of its row, which differs after every update; pairs in `leave_out`
    are skipped. Those that have waited longest come first.
    """
    rows = query(
        f"select id, xmin::text as state from {UNSETTLED}"
        + (" and (id, xmin::text) not in %(leave_out)s" if leave_out else "")
        + " order by unsettled_since limit %(limit)s",
        {"until": until, "limit": limit, "leave_out": tuple(leave_out)},
    )
    return [(row["id"], row["state"]) for row in rows]


# The order makes it a probe of companies_by_judged_version: the planner cannot know that there is
# nearly always none, and would scan the table for the first one.
JUDGED_BY_OLDER_RULES = (
    "organizations o cross join lateral (select id from companies where organization_id = o.id"
    " and judged_version < o.rules_version order by judged_version limit %(limit)s) c"
)


def find_judged_by_older_rules(*, limit: int) -> list[int]:
    """Return companies whose flags were last evaluated with an older version of the rules."""
    rows = query(f"select c.id from {JUDGED_BY_OLDER_RULES} limit %(limit)s", {"limit": limit})
    return [row["id"] for row in rows]


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
