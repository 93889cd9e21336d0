"""Derives what lists show of a company from its fields, as the rules name them."""

from dataclasses import dataclass
from typing import Any, get_args

import orjson

from models.companies.fields.field_merge import Traits
from models.companies.fields.team_columns import TeamColumns
from models.companies.filters.unusable_values import (
    DoubtfulValue,
    TeamField,
    TeamKey,
    list_doubtful,
)
from rules.book import RuleBook
from rules.team import NO_TEAM, TeamFields, team_values

LONGEST_EXAMPLE = 60
"""Characters of a value that is shown."""

MOST_EXAMPLES = 3


@dataclass(frozen=True)
class UnusableField:
    """How many companies have a value of a field of `team` that cannot be used, with examples.

    `key` is `owner`, `value` or `renewal`; `field` is the name of the field of the company.
    """

    key: str
    field: str
    companies: int
    examples: tuple[str, ...]


def team_columns(traits: Traits, book: RuleBook | None) -> TeamColumns:
    """Return the columns of a company; none have a value if the rules cannot be read."""
    fields: dict[str, Any] = {**traits.custom, **traits.core}
    values = team_values(book.team if book else NO_TEAM, fields)
    return TeamColumns(values.owner, values.value, values.renews_on)


def unusable_fields(
    organization_id: int, team: TeamFields, in_force: TeamFields = NO_TEAM
) -> tuple[UnusableField, ...]:
    """Return the fields of `team` with values that cannot be used, in the current transaction.

    `in_force` are the fields of the rules in force, from which the columns are derived.
    """
    keys: tuple[TeamKey, ...] = get_args(TeamKey)
    paths = {key: path for key in keys if (path := getattr(team, key))}
    doubtful = list_doubtful(
        organization_id,
        {
            key: TeamField(".".join(path), path == getattr(in_force, key))
            for key, path in paths.items()
        },
    )
    found = []
    for key, path in paths.items():
        unusable = [given for given in doubtful if given.key == key and _is_unusable(given)]
        if unusable:
            examples = tuple(_shown(given.value) for given in unusable[:MOST_EXAMPLES])
            number = sum(given.companies for given in unusable)
            found.append(UnusableField(key, ".".join(path), number, examples))
    return tuple(found)


def _is_unusable(given: DoubtfulValue) -> bool:
    only = TeamFields(**{given.key: ("x",)})
    return team_values(only, {"x": given.value}) == team_values(only, {})


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= LONGEST_EXAMPLE else f"{text[: LONGEST_EXAMPLE - 1]}…"
