"""Which values, flags and statuses there are: what filters mean, and why a list is empty."""

from dataclasses import dataclass, replace

from dashboard.filters.field_filters import FieldFilter
from dashboard.filters.names import as_named
from dashboard.pages.companies.columns import TEAM
from dashboard.pages.companies.query import CompanyQuery
from models.companies.company_filter import NOT_APPLICABLE
from models.companies.filters import field_values
from models.companies.filters.field_values import Values
from rules.book import RuleBook
from rules.team import TeamFields
from services.team_columns import UnusableField, unusable_fields

OFFERED = 12
"""The values that are offered, the most frequent ones."""

EXPLAINED = 2
"""The filters whose values are listed where no company matches."""


@dataclass(frozen=True)
class Explanation:
    """Why a filter may find nothing: the values that there are, and those that cannot be used."""

    filter: FieldFilter
    values: Values | None
    unusable: UnusableField | None
    rules_name_none: bool


def explain(organization_id: int, query: CompanyQuery, book: RuleBook) -> list[Explanation]:
    """Return what there is instead of what the first filters of a query look for."""
    explanations: dict[str, Explanation] = {}
    team = book.team
    sought = {given.subject: getattr(team, given.subject, None) for given in query.filters}
    fields = TeamFields(**{key: sought[key] for key in TEAM if key in sought})
    unusable = {found.key: found for found in unusable_fields(organization_id, fields, team)}
    for given in query.filters:
        if given.subject in explanations or len(explanations) == EXPLAINED:
            continue
        explanations[given.subject] = Explanation(
            given,
            field_values.count_values(organization_id, given.subject, limit=OFFERED),
            unusable.get(given.subject),
            given.subject in TEAM and not getattr(team, given.subject),
        )
    return list(explanations.values())


def in_names_of_rules(query: CompanyQuery, book: RuleBook) -> CompanyQuery:
    """Return a query with the flags and statuses that it means, as the rules write them."""
    flags = [flag.name for flag in book.flags]
    return replace(
        query,
        status=as_named(query.status, book.statuses),
        flags=tuple(sorted({as_named(flag, flags) for flag in query.flags})),
        flag_status=as_named(query.flag_status, (*book.statuses, NOT_APPLICABLE)),
        without_flags=tuple(sorted({as_named(flag, flags) for flag in query.without_flags})),
    )
