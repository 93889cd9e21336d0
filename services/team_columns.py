"""Derives what lists show of a company from its fields, as the rules in force name them."""

from typing import Any

from models.companies.fields.field_merge import Traits
from models.companies.fields.team_columns import TeamColumns
from rules.book import RuleBook
from rules.team import NO_TEAM, team_values


def team_columns(traits: Traits, book: RuleBook | None) -> TeamColumns:
    """Return the columns of a company; none have a value if the rules cannot be read."""
    fields: dict[str, Any] = {**traits.custom, **traits.core}
    values = team_values(book.team if book else NO_TEAM, fields)
    return TeamColumns(values.owner, values.value, values.renews_on)
