"""The companies that a plan would change, in groups by flag and change, the worst first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.companies import company_list
from models.companies.company_list import ListedCompany
from models.companies.external_ids import find_row_ids
from rules.book import RuleBook
from services.rules.plan import Plan
from services.rules.planned_changes import FlagStep, PlannedChange

SHOWN_AT_ONCE = 10
"""Companies of a group that are listed."""


@dataclass(frozen=True)
class PlannedCompany:
    """A change with the flag steps that explain it, and what lists show of the company."""

    change: PlannedChange
    listed: ListedCompany | None


@dataclass(frozen=True)
class PlanGroup:
    """Companies with the same change of status by the same flag.

    `flag` is None if a status was renamed. `value` is the sum of what the companies are worth, None
    if it is not known of any. `shown` are the companies to list, the highest value first.
    """

    flag: str | None
    before: str
    after: str
    is_worse: bool
    number: int
    value: Decimal | None
    shown: Sequence[PlannedCompany]


@dataclass(frozen=True)
class GroupedPlan:
    """The groups of a plan: changes of status, and changes of flags alone."""

    moving: Sequence[PlanGroup]
    flags_alone: Sequence[PlanGroup]

    @property
    def worse(self) -> int:
        """How many companies would get a worse status."""
        return sum(group.number for group in self.moving if group.is_worse)

    @property
    def better(self) -> int:
        """How many companies would get a better status, or another name for theirs."""
        return sum(group.number for group in self.moving if not group.is_worse)


def group_plan(organization_id: int, plan: Plan, book: RuleBook) -> GroupedPlan:
    """Group the changes of a plan by their flag and by what changes; read in a transaction."""
    row_ids = find_row_ids("companies", organization_id, {change.id for change in plan.changes})
    listed = {c.id: c for c in company_list.read(organization_id, [*row_ids.values()])}
    moving: dict[tuple[str | None, str, str], list[PlannedChange]] = {}
    alone: dict[tuple[str | None, str, str], list[PlannedChange]] = {}
    for change in plan.changes:
        step = _deciding(change, book)
        if change.before != change.after:
            key = (step.flag if step else None, change.before, change.after)
            moving.setdefault(key, []).append(change)
        elif step is not None:
            alone.setdefault((step.flag, step.before, step.after), []).append(change)
    return GroupedPlan(_groups(moving, listed, book), _groups(alone, listed, book))


def _deciding(change: PlannedChange, book: RuleBook) -> FlagStep | None:
    """Return the step that explains a change best: to the new status, or away from the former."""
    worse = _level(book, change.after) >= _level(book, change.before)

    def fit(step: FlagStep) -> tuple[bool, int]:
        matches = step.after == change.after if worse else step.before == change.before
        return matches, max(_level(book, step.after), _level(book, step.before))

    return max(change.flags, key=fit, default=None)


def _level(book: RuleBook, status: str) -> int:
    return book.level_of(status) or 0


def _groups(
    changes: Mapping[tuple[str | None, str, str], Sequence[PlannedChange]],
    listed: Mapping[str, ListedCompany],
    book: RuleBook,
) -> list[PlanGroup]:
    groups = []
    for (flag, before, after), of_group in changes.items():
        companies = [PlannedCompany(change, listed.get(change.id)) for change in of_group]
        values = [c.listed.value for c in companies if c.listed and c.listed.value is not None]
        companies.sort(key=_by_value)
        groups.append(
            PlanGroup(
                flag,
                before,
                after,
                _level(book, after) > _level(book, before),
                len(companies),
                sum(values, Decimal(0)) if values else None,
                companies[:SHOWN_AT_ONCE],
            )
        )
    groups.sort(key=lambda g: (not g.is_worse, -_level(book, g.after), -g.number, g.flag or ""))
    return groups


def _by_value(company: PlannedCompany) -> tuple[Decimal, str]:
    value = company.listed.value if company.listed else None
    return -(value or Decimal(0)), company.change.name.casefold()
