"""Values of fields that no owner, value or renewal of a company can be derived from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from models.companies.filters.subjects import Subject, subject
from models.companies.filters.value_forms import is_instant, number_in
from models.database import query

TeamKey = Literal["owner", "value", "renewal"]

MOST_VALUES = 10_000
"""Different values that are read; companies with others are not counted."""

_COLUMNS = {"owner": "owner", "value": "value", "renewal": "renews_on"}


@dataclass(frozen=True)
class TeamField:
    """A field, its name with dots, that a column is derived from.

    `is_in_force` means that the rules in force derive the column from it; then companies that have
    the column are left out at once, which is quicker.
    """

    name: str
    is_in_force: bool


@dataclass(frozen=True)
class DoubtfulValue:
    """A value of the field of a key that may be unusable, and how many companies have it."""

    key: TeamKey
    value: Any
    companies: int


def list_doubtful(organization_id: int, fields: Mapping[TeamKey, TeamField]) -> list[DoubtfulValue]:
    """Return the values of fields that look unusable, the most frequent first.

    `rules.team` decides: it reads a few forms that SQL does not. Blank texts count as no value. One
    scan of all companies.
    """
    rows, doubts, parameters = [], [], {"organization_id": organization_id}
    for key, field in fields.items():
        about = subject(f"field.{field.name}", key)
        if about is None or "\0" in field.name:
            continue
        doubt = _doubt(key, about, is_in_force=field.is_in_force)
        doubts.append(doubt)
        rows.append(f"('{key}', {about.json}, {doubt})")
        parameters |= about.parameters
    if not rows:
        return []
    found = query(
        "select given.team_key as key, given.sent as value, count(*) as companies"
        " from companies cross join lateral"
        f" (values {', '.join(rows)}) as given (team_key, sent, is_doubtful)"
        f" where organization_id = %(organization_id)s and ({' or '.join(doubts)}) and is_doubtful"
        f" group by 1, 2 order by 3 desc, 2 limit {MOST_VALUES}",
        parameters,
    )
    return [DoubtfulValue(**row) for row in found]


def _doubt(key: TeamKey, about: Subject, *, is_in_force: bool) -> str:
    """Return SQL for whether a value is none that can be used for a column."""
    usable = {
        "owner": f"left({about.text}, 1) not in ('[', '{{')",
        "value": f"coalesce(abs({number_in(about.text)}) < 1e15, false)",
        "renewal": is_instant(about.text),
    }[key]
    doubt = f"case when {about.is_empty} then false else not ({usable}) end"
    return f"({_COLUMNS[key]} is null and {doubt})" if is_in_force else f"({doubt})"
