"""The changes that time, or other rules, would cause, computed without recording anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.companies import companies
from models.companies.companies import Company
from models.health import flag_overrides, flag_states
from rules.book import RuleBook
from rules.judging.settlement import settle
from rules.judging.state import Cause, Transition
from rules.wording.change_reasons import change_reason
from rules.wording.prevention import prevented_by
from services.health.settlements import facts_of_all, settlements_of, stored_health_of
from services.rules.rule_books import RuleBooks

CHUNK = 500
"""Companies that are read at a time."""


@dataclass(frozen=True)
class FlagStep:
    """A flag's step from one status to another, the phrase behind it, and a description.

    `unless` is what would prevent it, such as `2 more reports are created`; None if no event would.
    `reason` is the fact behind it in a few words, if the flag's own level changes.
    """

    flag: str
    before: str
    after: str
    threshold: str
    description: str
    unless: str | None
    reason: str | None


@dataclass(frozen=True)
class PlannedChange:
    """What would happen to a company at an instant; only flags change if the statuses are equal."""

    id: str
    name: str
    at: datetime
    before: str
    after: str
    cause: Cause
    flags: tuple[FlagStep, ...]


def find_companies_due(organization_id: int, *, until: datetime) -> list[int]:
    """Return the companies with a flag or an override that is due up to an instant."""
    flags = flag_states.find_due_companies(organization_id, until=until)
    return sorted({*flags, *flag_overrides.find_due_companies(organization_id, until=until)})


def forecast(
    organization_id: int,
    due: Sequence[int],
    version: int,
    now: datetime,
    until: datetime,
    rulebooks: RuleBooks | None = None,
) -> Iterator[list[PlannedChange]]:
    """Yield the changes of each company up to `until` if no further event arrives.

    `due` are the ids of the companies with a flag or an override due until then, from
    `find_companies_due`; no other company can change. `rulebooks` are cached rule books, to avoid
    reading the rules again.
    """
    rulebooks = rulebooks or RuleBooks()
    for start in range(0, len(due), CHUNK):
        chunk = companies.find_by_ids(organization_id, due[start : start + CHUNK])
        for company, transitions, book in forecast_transitions(
            organization_id, chunk, version, now, until, rulebooks
        ):
            yield [
                describe_change(company.external_id, company.name, transition, book)
                for transition in transitions
            ]


def forecast_transitions(
    organization_id: int,
    chunk: Sequence[Company],
    version: int,
    now: datetime,
    until: datetime,
    rulebooks: RuleBooks,
) -> Iterator[tuple[Company, Sequence[Transition], RuleBook]]:
    """Yield the transitions of each company after `now` up to `until`, if no event arrives.

    They come with the rules that cause them, which are those in force at `now`.
    """
    facts = facts_of_all(organization_id, chunk, version, rulebooks)
    for stored in stored_health_of(organization_id, chunk):
        company = stored.company
        settlements = settlements_of(stored, version, rulebooks, now, facts[company.id])
        book, _, settled = settlements[-1]
        # Like `review`, without the present verdict of every flag.
        transitions = settle(
            book, settled.state, facts[company.id], now=until, unsettled_since=None
        ).transitions
        yield company, transitions, book


def describe_change(
    external_id: str, name: str, transition: Transition, book: RuleBook
) -> PlannedChange:
    """Describe a transition that was not recorded, in the words of the rules that cause it."""
    steps = tuple(
        FlagStep(
            step.flag,
            book.status_name(step.before),
            book.status_name(step.after),
            transition.threshold(book, step.flag, step.after or step.before),
            transition.describe(book, step),
            prevented_by(book, step),
            change_reason(book, transition, step),
        )
        for step in transition.changes
    )
    return PlannedChange(
        external_id,
        name,
        transition.at,
        transition.before,
        transition.after,
        transition.cause,
        steps,
    )
