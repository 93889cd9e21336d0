"""Which custom fields companies have."""

from models.companies.company_filter import ALL_COMPANIES, CompanyFilter, filter_condition
from models.database import query

SAMPLE_SIZE = 1_000
"""Companies, the newest, that tell which custom fields there are."""


def list_for_filter(organization_id: int, wanted: CompanyFilter = ALL_COMPANIES) -> list[str]:
    """Every custom field that any company has which a filter finds, by name.

    Looks at all of them: for an export, not for a page. Nearly all have just the fields that the
    newest have: without a filter, only what others have is taken apart.
    """
    where, parameters = filter_condition(organization_id, wanted)
    known = list_names(organization_id) if wanted == ALL_COMPANIES else []
    rows = query(
        "select distinct field from ("
        f" select traits - %(known)s::text[] as others from companies where {where} offset 0"
        ") found cross join lateral jsonb_object_keys(others) field where others <> '{}'",
        parameters | {"known": known},
    )
    return sorted({*known, *(row["field"] for row in rows)})


def list_names(organization_id: int) -> list[str]:
    """The custom fields that the newest companies have, the most frequent first."""
    rows = query(
        "select field from (select traits from companies"
        " where organization_id = %(organization_id)s order by id desc limit %(limit)s) newest"
        " cross join lateral jsonb_object_keys(traits) field"
        " group by field order by count(*) desc, field",
        {"organization_id": organization_id, "limit": SAMPLE_SIZE},
    )
    return [row["field"] for row in rows]


def count_values(organization_id: int) -> dict[str, int]:
    """How many different values each custom field has among the newest companies."""
    rows = query(
        "select field.key, count(distinct field.value) as number from (select traits from companies"
        " where organization_id = %(organization_id)s order by id desc limit %(limit)s) newest"
        " cross join lateral jsonb_each_text(traits) field group by field.key",
        {"organization_id": organization_id, "limit": SAMPLE_SIZE},
    )
    return {row["key"]: row["number"] for row in rows}
