"""Companies to evaluate again, though no event came and none of their flags is due."""

from models.companies.companies import EVALUATION_REVISION
from models.database import query


def find_outdated(organization_id: int, version: int, *, limit: int) -> list[int]:
    """Return companies that were last evaluated with rules older than this version.

    So are those that were evaluated by a release that defined the stored results differently.
    """
    of_organization = "select id from companies where organization_id = %(organization_id)s"
    rows = query(
        # The order makes it a probe of companies_by_judged_version: the planner cannot know that
        # there is nearly always none, and would scan the table for the first one.
        f"({of_organization} and judged_version < %(version)s order by judged_version"
        f" limit %(limit)s) union ({of_organization}"
        # Not a parameter, so that the partial index is used.
        f" and evaluation_revision < {EVALUATION_REVISION} limit %(limit)s)"
        " limit %(limit)s",
        {"organization_id": organization_id, "version": version, "limit": limit},
    )
    return [row["id"] for row in rows]


def count_judged_by_older_rules(organization_id: int) -> int:
    """Count the companies of an organization that are not evaluated with the rules in force yet."""
    rows = query(
        "select count(*) as number from companies c join organizations o"
        " on o.id = c.organization_id where c.organization_id = %(organization_id)s"
        " and c.judged_version < o.rules_version",
        {"organization_id": organization_id},
    )
    number: int = rows[0]["number"]
    return number
