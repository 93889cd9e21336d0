"""Plans what applying a rule file would change, without changing anything."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from models.companies import company_counts
from models.events import event_volumes
from models.organizations.organizations import Organization
from rules.book import RuleBook
from services.rules.plan_judgement import PlanJudgement
from services.rules.planned_changes import PlannedChange
from services.rules.rule_books import RuleBooks
from services.team_columns import UnusableField, unusable_fields


@dataclass(frozen=True)
class Plan:
    """What a book would change, the companies with the worst status first.

    `companies` is the number of the organization's companies, `left` of those that left, and
    `judged` of those that the plan covers. `refused_events` are the keys of events of the last 30
    days that would no longer be accepted, and `unsent_events` those that nobody would miss.
    `unusable_fields` are the fields of `team` with values that cannot be used, if `team` changes.
    """

    changes: tuple[PlannedChange, ...]
    companies: int
    judged: int
    refused_events: tuple[str, ...]
    unsent_events: tuple[str, ...]
    unusable_fields: tuple[UnusableField, ...] = ()
    left: int = 0

    @property
    def moving(self) -> list[PlannedChange]:
        """The companies whose status would change."""
        return [change for change in self.changes if change.before != change.after]


def collect(
    organization: Organization,
    book: RuleBook,
    planned: Iterable[PlannedChange | None],
    now: datetime,
    *,
    of: int,
    rulebooks: RuleBooks | None = None,
) -> Plan:
    """Collect what `plan` yields for a book at `now`, out of `of` companies."""
    judged = list(planned)
    changes = sorted(
        (change for change in judged if change is not None),
        key=lambda change: (-(book.level_of(change.after) or 0), change.name, change.id),
    )
    former = (rulebooks or RuleBooks()).book(organization.id, organization.rules_version)
    refused = _refused_events(former, book)
    volumes = event_volumes.read_volumes(organization.id, now) if refused else {}
    sent = {key for key, volume in volumes.items() if volume.in_a_month}
    return Plan(
        tuple(changes),
        of,
        len(judged),
        refused_events=tuple(key for key in refused if key in sent),
        unsent_events=tuple(key for key in refused if key not in sent),
        unusable_fields=_unusable_fields(organization.id, former, book),
        left=company_counts.count_left(organization.id),
    )


def _refused_events(former: RuleBook, book: RuleBook) -> list[str]:
    """Return the keys of events that the former book accepts and a book would refuse."""
    enabled = [event for event in book.events.values() if event.enabled]
    accepted = {name for event in enabled for name in (event.key, *event.called)}
    return [key for key, event in former.events.items() if event.enabled and key not in accepted]


def _unusable_fields(
    organization_id: int, former: RuleBook, book: RuleBook
) -> tuple[UnusableField, ...]:
    if book.team == former.team:
        return ()  # they are shown with the rules in force
    return unusable_fields(organization_id, book.team, former.team)


def plan(
    organization_id: int,
    version: int,
    book: RuleBook,
    now: datetime,
    rulebooks: RuleBooks | None = None,
) -> Iterator[PlannedChange | None]:
    """Yield what a book would change at `now`, compared with `version`, the one in force.

    One item for each company, None if nothing would change, so that a caller can show progress.
    `rulebooks` are cached rule books, to avoid reading the rules again.
    """
    judgement = PlanJudgement(organization_id, version, book, now, rulebooks or RuleBooks())
    yield from judgement.changes()
