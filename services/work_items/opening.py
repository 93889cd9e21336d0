"""Opens, updates and closes the items of companies whose flags an evaluation changed.

An item lasts as long as a spell (see `services.work_items.spells`). A flag that was raised and
recovered between two evaluations gets none: nobody could have done anything about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.companies.companies import Company
from models.companies.fields.team_columns import RaisedFlag
from models.health.flag_states import StoredFlagState
from models.health.work_items import item_changes, lifecycle
from models.health.work_items.item_changes import PRODUCT, ItemChange
from models.health.work_items.lifecycle import ClosedItem, ItemUpdate, NewItem, OpenItem
from rules.book import RuleBook
from rules.phrases.condition import Level
from services.work_items.spells import Ended, Settlements, Spell, SpellFinder
from services.work_items.states import REOPENED, State


@dataclass(frozen=True)
class EvaluatedCompany:
    """A company after an evaluation that may have changed which flags are raised.

    `flags` and `raised` are its flags before. They are None if the settlements are the whole
    history, which may differ from what was recorded.
    """

    company: Company
    settlements: Settlements
    flags: Sequence[StoredFlagState] | None
    raised: Sequence[RaisedFlag] | None

    @property
    def book(self) -> RuleBook:
        """The rules in force at the end."""
        return self.settlements[-1][0]

    @property
    def is_rewritten(self) -> bool:
        """Whether the settlements replace what was recorded."""
        return self.flags is None

    def spells(self, until: datetime) -> list[Spell]:
        """Return the times for which flags were raised."""
        first = self.settlements[0][0]
        own: dict[str, Level] = {f.flag: first.level_of(f.status) for f in self.flags or ()}
        effective = {f.flag: first.level_of(f.status) for f in self.raised or ()}
        return SpellFinder(own, effective).follow(self.settlements, until)


def update_items(
    organization_id: int, evaluated: Sequence[EvaluatedCompany], now: datetime
) -> None:
    """Make the open items of companies those of their raised flags; new ones are opened `now`."""
    if not evaluated:
        return
    open_items: dict[int, dict[str, OpenItem]] = {item.company.id: {} for item in evaluated}
    for open_item in lifecycle.find_open(organization_id, list(open_items)):
        open_items[open_item.company_id][open_item.flag] = open_item
    difference = _Difference(now)
    for item in evaluated:
        difference.add(item, open_items[item.company.id])
    lifecycle.close(organization_id, difference.closed)
    lifecycle.update(organization_id, difference.updated)
    item_changes.add(difference.reopened)
    lifecycle.add(difference.new)


def add_past_items(evaluated: Sequence[EvaluatedCompany], now: datetime) -> None:
    """Add the items of companies that have none, as if they had been judged all along.

    Each was opened when its flag was raised.
    """
    lifecycle.add(
        [
            _new_item(item, spell, spell.raised_at or now)
            for item in evaluated
            for spell in item.spells(now)
        ]
    )


class _Difference:
    """What has to change so that the open items of companies are those of their raised flags."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.closed: list[ClosedItem] = []
        self.updated: list[ItemUpdate] = []
        self.reopened: list[ItemChange] = []
        self.new: list[NewItem] = []

    def add(self, evaluated: EvaluatedCompany, open_items: Mapping[str, OpenItem]) -> None:
        """Compare the spells of a company with its open items."""
        ended: dict[str, Spell] = {}
        kept: set[str] = set()
        for spell in evaluated.spells(self._now):
            # A rewritten history finds the beginning of each spell again.
            is_continued = evaluated.is_rewritten or spell.raised_at is None
            open_item = open_items.get(spell.flag) if is_continued else None
            if spell.ended_at is not None:
                if is_continued:
                    ended[spell.flag] = spell
            elif open_item is None:
                self.new.append(_new_item(evaluated, spell, self._now))
            else:
                kept.add(spell.flag)
                self._update(evaluated, spell, open_item)
        for flag, open_item in open_items.items():
            if flag not in kept:
                self.closed.append(self._closed(open_item, ended.get(flag)))

    def _update(self, evaluated: EvaluatedCompany, spell: Spell, open_item: OpenItem) -> None:
        is_reopened = (
            spell.worsened and open_item.state == State.DONE and not evaluated.is_rewritten
        )
        worse_from = _worse_from(evaluated.book, spell)
        update = ItemUpdate(
            id=open_item.id,
            status=evaluated.book.status_name(spell.level),
            snoozed=spell.snoozed,
            state=State.OPEN if is_reopened else open_item.state,
            raised_at=spell.raised_at,
            moved=spell.moved or evaluated.is_rewritten,
            worse_since=spell.worse_since,
            worse_from=worse_from,
        )
        self.updated.append(update)
        if is_reopened:
            company = evaluated.company
            self.reopened.append(
                ItemChange(
                    company.organization_id,
                    open_item.id,
                    company.id,
                    spell.worse_since or self._now,
                    None,
                    PRODUCT,
                    REOPENED,
                    {"from": worse_from, "to": update.status},
                )
            )

    def _closed(self, open_item: OpenItem, spell: Spell | None) -> ClosedItem:
        if spell is None or spell.ended_at is None or spell.ended is None:
            return ClosedItem(open_item.id, self._now, Ended.RECOVERY)
        return ClosedItem(open_item.id, spell.ended_at, spell.ended)


def _new_item(evaluated: EvaluatedCompany, spell: Spell, opened_at: datetime) -> NewItem:
    book, flags = evaluated.book, evaluated.settlements[-1][2].state.flags
    flag = book.flags_by_name.get(spell.flag)
    since = flags[spell.flag].changed_at if spell.flag in flags else opened_at
    return NewItem(
        organization_id=evaluated.company.organization_id,
        company_id=evaluated.company.id,
        flag=spell.flag,
        status=book.status_name(spell.level),
        snoozed=spell.snoozed,
        raised_at=spell.raised_at or since,
        opened_at=opened_at,
        worse_since=spell.worse_since,
        worse_from=_worse_from(book, spell),
        next_step=flag.note if flag else None,
        **evaluated.company.team.as_json(),
        company_left=evaluated.company.left_on is not None,
        closed_at=spell.ended_at,
        closed_because=spell.ended,
    )


def _worse_from(book: RuleBook, spell: Spell) -> str | None:
    return None if spell.worse_from is None else book.status_name(spell.worse_from)
