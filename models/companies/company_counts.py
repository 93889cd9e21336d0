"""Counts companies by status and by owner."""

from models.companies.company_filter import ALL_COMPANIES, CompanyFilter, filter_condition
from models.database import query
from models.folding import folded


def any_exists(organization_id: int) -> bool:
    """Whether an organization has any company."""
    return bool(
        query(
            "select 1 as found from companies where organization_id = %(id)s limit 1",
            {"id": organization_id},
        )
    )


def count_left(organization_id: int) -> int:
    """Count the companies that left."""
    [row] = query(
        "select count(*) as number from companies"
        " where organization_id = %(id)s and left_on is not null",
        {"id": organization_id},
    )
    number: int = row["number"]
    return number


def count_by_owner(organization_id: int, *, limit: int) -> list[tuple[str, int]]:
    """Count the companies of the owners with the most, the most first.

    Case and accents do not matter.
    """
    rows = query(
        "select min(owner) as owner, sum(number)::bigint as number from ("
        " select owner, count(*) as number from companies"
        " where organization_id = %(organization_id)s and owner is not null group by 1) owners"
        f" group by {folded('owner')} order by 2 desc, 1 limit %(limit)s",
        {"organization_id": organization_id, "limit": limit},
    )
    return [(row["owner"], row["number"]) for row in rows]


def count_by_status(
    organization_id: int, company_filter: CompanyFilter = ALL_COMPANIES
) -> dict[str, int]:
    """Count the companies that match a filter, by status."""
    where, parameters = filter_condition(organization_id, company_filter)
    rows = query(
        "select health_status as status, count(*) as number from companies"
        f" where {where} group by 1",
        parameters,
    )
    return {row["status"]: row["number"] for row in rows}


def count_and_list_few(
    organization_id: int, company_filter: CompanyFilter, *, few: int
) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Count the companies that match a filter, by status, and list the row ids of some.

    They are the companies with a status that `few` matches or fewer have.
    """
    where, parameters = filter_condition(organization_id, company_filter)
    rows = query(
        "select health_status as status, count(*) as number,"
        " case when count(*) <= %(few)s then array_agg(id) end as ids"
        f" from companies where {where} group by 1",
        parameters | {"few": few},
    )
    counts = {row["status"]: row["number"] for row in rows}
    return counts, {row["status"]: row["ids"] for row in rows if row["ids"] is not None}
