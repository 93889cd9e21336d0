"""Values of fields that no owner, value or renewal of a company can be derived from."""

from dataclasses import dataclass
from typing import Any, Literal

from models.companies.filters.subjects import subject
from models.companies.filters.value_forms import is_instant, is_number
from models.database import query

TeamKey = Literal["owner", "value", "renewal"]

MOST_VALUES = 10_000
"""Different values that are read; beyond them, the others are not counted."""

_COLUMNS = {"owner": "owner", "value": "value", "renewal": "renews_on"}


@dataclass(frozen=True)
class DoubtfulValue:
    """A value of a field that may be unusable, and how many companies have it."""

    value: Any
    companies: int


def list_doubtful(
    organization_id: int, key: TeamKey, field: str, *, is_derived: bool
) -> list[DoubtfulValue]:
    """Return the values of a field that look unusable for a column, the most frequent first.

    `rules.team` decides: it reads a few forms that SQL does not. Blank texts count as no value.
    `is_derived` means that the rules in force derive the column from this field; then companies
    that have it are left out at once, which is quicker.
    """
    about = subject(f"field.{field}", "f")
    if about is None or "\0" in field:
        return []
    usable = {
        "owner": f"left({about.text}, 1) not in ('[', '{{')",
        "value": is_number(about.text),
        "renewal": is_instant(about.text),
    }[key]
    only = f" and {_COLUMNS[key]} is null" if is_derived else ""
    rows = query(
        f"select {about.json} as value, count(*) as companies from companies"
        f" where organization_id = %(organization_id)s{only} and not ({about.is_empty})"
        f" and not {usable} group by 1 order by 2 desc, 1"
        f" limit {MOST_VALUES}",
        {"organization_id": organization_id, **about.parameters},
    )
    return [DoubtfulValue(**row) for row in rows]
