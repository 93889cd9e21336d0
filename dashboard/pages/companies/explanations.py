"""Why a list of companies is empty: what its filters compare, and the values that there are."""

from dataclasses import dataclass

from dashboard.filters.field_filters import FieldFilter
from dashboard.pages.companies.query import CompanyQuery
from models.companies.filters import field_values
from models.companies.filters.field_values import Unusable, Values
from rules.book import RuleBook

OFFERED = 12
"""The values that are offered, the most frequent ones."""

EXPLAINED = 2
"""The filters whose values are listed where no company matches."""


@dataclass(frozen=True)
class Explanation:
    """Why a filter may find nothing: the values that there are, and those that cannot be used."""

    filter: FieldFilter
    values: Values | None
    unusable: Unusable | None
    rules_name_none: bool


def explain(organization_id: int, query: CompanyQuery, book: RuleBook) -> list[Explanation]:
    """Return what there is instead of what the first filters of a query look for."""
    explanations: dict[str, Explanation] = {}
    for given in query.filters:
        if given.subject in explanations or len(explanations) == EXPLAINED:
            continue
        path = getattr(book.team, given.subject, None) if "." not in given.subject else None
        is_team = given.subject in ("owner", "value", "renewal")
        explanations[given.subject] = Explanation(
            given,
            field_values.count_values(organization_id, given.subject, limit=OFFERED),
            field_values.count_unusable(organization_id, ".".join(path), given.subject)
            if path
            else None,
            is_team and not path,
        )
    return list(explanations.values())
