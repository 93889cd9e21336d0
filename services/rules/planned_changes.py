"""What rules would do to companies, and what time will, without changing anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.companies import companies
from models.companies.companies import Company
from models.health import flag_overrides, flag_states
from rules.book import RuleBook
from rules.judging.prevention import prevented_by
from rules.judging.settlement import settle
from rules.judging.state import Cause, Transition
from services.health.settlements import StoredHealth, stored_health_of, facts_of, settlements_of
from services.rules.rule_books import RuleBooks

CHUNK = 500
"""How many companies are read at a time."""


@dataclass(frozen=True)
class FlagStep:
    """A flag's step from one status to another, the phrase behind it, and all of it in words.

    `unless` is what would avert it, such as `2 more Report created`; None if no event would.
    """

    flag: str
    before: str
    after: str
    threshold: str
    told: str
    unless: str | None


@dataclass(frozen=True)
class PlannedChange:
    """What would happen to a company at an instant; flags may change though the status stays."""

    id: str
    name: str
    at: datetime
    before: str
    after: str
    cause: Cause
    flags: tuple[FlagStep, ...]


def companies_due(organization_id: int, *, until: datetime) -> list[int]:
    """The companies of an organization of which a flag or an override is due up to an instant."""
    flags = flag_states.companies_due(organization_id, until=until)
    return sorted({*flags, *flag_overrides.companies_due(organization_id, until=until)})


def forecast(
    due: Sequence[int],
    version: int,
    now: datetime,
    until: datetime,
    rulebooks: RuleBooks | None = None,
) -> Iterator[list[PlannedChange]]:
    """What will change up to `until` if no further event comes, company by company.

    `due` are the companies of which a flag or an override is due until then, by `companies_due`:
    exact, since each knows when it is due. `rulebooks` spares reading the rules again.
    """
    rulebooks = rulebooks or RuleBooks()
    for start in range(0, len(due), CHUNK):
        for recorded in stored_health_of(companies.with_ids(due[start : start + CHUNK])):
            company = recorded.company
            book, _, settled = settlements_of(recorded, version, rulebooks, now)[-1]
            # As `review` finds what is to come, without every flag's verdict of now.
            coming = settle(
                book, settled.state, facts_of(company), now=until, unsettled_since=None
            ).transitions
            yield [prospect_of(company, transition, book) for transition in coming]


def prospect_of(company: Company, transition: Transition, book: RuleBook) -> PlannedChange:
    """Describe a transition that was not recorded, by the rules that cause it."""
    steps = tuple(
        FlagStep(
            step.flag,
            book.status_name(step.before),
            book.status_name(step.after),
            transition.threshold(book, step.flag, step.after or step.before),
            transition.describe(book, step),
            prevented_by(book, step),
        )
        for step in transition.changes
    )
    return PlannedChange(
        company.external_id,
        company.name,
        transition.at,
        transition.before,
        transition.after,
        transition.cause,
        steps,
    )


def stored_health_of_organization(organization_id: int) -> Iterator[StoredHealth]:
    """Yield what is recorded of each company of an organization, read in chunks."""
    after_id = 0
    while page := companies.page(organization_id, after_id=after_id, limit=CHUNK):
        yield from stored_health_of(page)
        after_id = page[-1].id
