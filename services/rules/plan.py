"""What applying a rule file would change, without changing anything."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from models.organizations.organizations import Organization
from rules.book import RuleBook
from rules.judging.settlement import settle
from rules.judging.state import NewRules
from services.health.settlements import facts_of, settlements_of
from services.rules.prospects import Prospect, every_recorded, prospect_of
from services.rules.rule_books import RuleBooks


@dataclass(frozen=True)
class Plan:
    """What a book would change: companies, the worst off first, of how many.

    `judged` says of how many of the `companies` it tells; `refused_events` are the keys that would
    no longer be taken.
    """

    prospects: tuple[Prospect, ...]
    companies: int
    judged: int
    refused_events: tuple[str, ...]

    @property
    def moving(self) -> list[Prospect]:
        """The companies whose status would change."""
        return [one for one in self.prospects if one.before != one.after]


def collect(
    organization: Organization, book: RuleBook, planned: Iterable[Prospect | None], *, of: int
) -> Plan:
    """All that `plan` yields for a book, out of `of` companies."""
    found = list(planned)
    prospects = sorted(
        (one for one in found if one is not None),
        key=lambda one: (-(book.level_of(one.after) or 0), one.name, one.id),
    )
    refused = refused_events(organization.id, organization.rules_version, book)
    return Plan(tuple(prospects), of, len(found), tuple(refused))


def refused_events(organization_id: int, version: int, book: RuleBook) -> list[str]:
    """The keys of events that `version` takes and a book would no longer take."""
    former = RuleBooks().book(organization_id, version)
    taken = {key for key, event in book.events.items() if event.enabled}
    return [key for key, event in former.events.items() if event.enabled and key not in taken]


def plan(
    organization_id: int, version: int, book: RuleBook, now: datetime
) -> Iterator[Prospect | None]:
    """What a book would change at `now`, against `version`, the one in force.

    Yields once for each company, None where nothing would change, so that one can count along.
    """
    rulebooks = RuleBooks()
    for recorded in every_recorded(organization_id):
        company = recorded.company
        former, _, settled = settlements_of(recorded, version, rulebooks, now)[-1]
        after = settle(
            book,
            settled.state,
            facts_of(company),
            now=now,
            unsettled_since=None,
            new_rules=NewRules(now, former),
        )
        yield prospect_of(company, after.transitions[0], book) if after.transitions else None
