"""Lists the custom fields that companies have."""

from models.companies.company_filter import ALL_COMPANIES, CompanyFilter, filter_condition
from models.database import query

SAMPLE_SIZE = 1_000
"""The number of companies, the newest ones, that are searched for custom fields."""


def list_for_filter(
    organization_id: int, company_filter: CompanyFilter = ALL_COMPANIES
) -> list[str]:
    """Return every custom field of the companies that match a filter, by name.

    Reads all of them: for an export, not for a page. Nearly all companies have only fields that
    the newest also have, so without a filter only other fields are expanded.
    """
    where, parameters = filter_condition(organization_id, company_filter)
    frequent = list_names(organization_id) if company_filter == ALL_COMPANIES else []
    rows = query(
        "select distinct field from ("
        f" select traits - %(frequent)s::text[] as others from companies where {where} offset 0"
        ") matching cross join lateral jsonb_object_keys(others) field where others <> '{}'",
        parameters | {"frequent": frequent},
    )
    return sorted({*frequent, *(row["field"] for row in rows)})


def list_names(organization_id: int) -> list[str]:
    """Return the custom fields of the newest companies, the most frequent first."""
    rows = query(
        "select field from (select traits from companies"
        " where organization_id = %(organization_id)s order by id desc limit %(limit)s) newest"
        " cross join lateral jsonb_object_keys(traits) field"
        " group by field order by count(*) desc, field",
        {"organization_id": organization_id, "limit": SAMPLE_SIZE},
    )
    return [row["field"] for row in rows]


def count_values(organization_id: int) -> dict[str, int]:
    """Count the distinct values of each custom field among the newest companies."""
    rows = query(
        "select field.key, count(distinct field.value) as number from (select traits from companies"
        " where organization_id = %(organization_id)s order by id desc limit %(limit)s) newest"
        " cross join lateral jsonb_each_text(traits) field group by field.key",
        {"organization_id": organization_id, "limit": SAMPLE_SIZE},
    )
    return {row["key"]: row["number"] for row in rows}
