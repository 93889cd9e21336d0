"""What judging asks about a company's events, answered from their table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models import events
from rules.facts import Selector


@dataclass(frozen=True)
class StoredFacts:
    """The events of one company; see `rules.facts.Facts`."""

    company_id: int

    def latest(self, selector: Selector, limit: int, until: datetime) -> Sequence[datetime]:
        """See `rules.facts.Facts.latest`."""
        return events.latest(
            self.company_id, selector.event_key, selector.where, limit=limit, until=until
        )

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """See `rules.facts.Facts.next_after`."""
        return events.next_after(
            self.company_id, selector.event_key, selector.where, after=after, until=until
        )
