"""What somebody needs to know first of a company: why it has its status, and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models.companies.companies import Company
from models.companies.company_notes import Note
from models.companies.fields.team_columns import TeamColumns
from models.health.work_items.item_list import ListedItem
from rules.book import RuleBook
from rules.durations import pluralize
from services.health.explanation import Explanation, FlagExplanation
from services.team_columns import team_columns
from services.work_items.states import State

MOST_REASONS = 3
"""Raised flags whose reasons the sentence has."""


@dataclass(frozen=True)
class CountedFlag:
    """A flag with the status that it counts as, an override considered, and why."""

    flag: FlagExplanation
    status: str
    reason: str


@dataclass(frozen=True)
class NextStep:
    """What to do about a raised flag, and by when, if somebody has set a date."""

    text: str
    due_on: date | None = None


@dataclass(frozen=True)
class Advice:
    """What to do, and the raised flags that ask for it."""

    text: str
    flags: Sequence[str]


@dataclass(frozen=True)
class Headline:
    """The sentence that explains the status: its reasons, worst first.

    `more` is the number of raised flags beyond these, `judged` of all flags that apply.
    """

    reasons: Sequence[str]
    more: int
    judged: int

    @property
    def because(self) -> str:
        """The part of the sentence that gives the reasons."""
        if not self.reasons:
            return _none_raised(self.judged)
        parts = list(self.reasons)
        if self.more:
            parts.append(pluralize(self.more, "more flag"))
        if len(parts) == 1:
            return parts[0]
        return f"{', '.join(parts[:-1])}, and {parts[-1]}"


def _none_raised(judged: int) -> str:
    if judged == 0:
        return "no flag applies"
    return "its only flag is not raised" if judged == 1 else f"none of {judged} flags is raised"


def raised_flags(explanation: Explanation, book: RuleBook) -> list[CountedFlag]:
    """Return the flags that raise the status, worst first, then in the order of the rules."""
    raised = []
    for flag in explanation.flags:
        status, reason = flag.status, flag.summary or flag.flag
        if flag.override is not None:
            status = flag.override.status or book.statuses[0]
            reason = f"set to {status} by hand"
        if book.level_of(status):
            raised.append(CountedFlag(flag, status, reason))
    return sorted(raised, key=lambda counted: -(book.level_of(counted.status) or 0))


def headline(explanation: Explanation, raised: Sequence[CountedFlag], book: RuleBook) -> Headline:
    """Return the sentence about a company whose raised flags are these."""
    reasons = list(dict.fromkeys(counted.reason for counted in raised))[:MOST_REASONS]
    return Headline(
        reasons,
        sum(counted.reason not in reasons for counted in raised),
        sum(
            flag.override.status is not None
            if flag.override
            else book.level_of(flag.status) is not None
            for flag in explanation.flags
        ),
    )


def next_steps(
    raised: Sequence[CountedFlag], items: Mapping[str, ListedItem]
) -> dict[str, NextStep]:
    """Return the next steps of raised flags, in their order.

    They are those of the flags' work items, unless these are done; a flag without one has the note
    of its rule.
    """
    steps = {}
    for counted in raised:
        item = items.get(counted.flag.flag)
        if item is not None and item.state == State.DONE:
            continue
        text = (item and item.next_step) or counted.flag.note
        if text:
            steps[counted.flag.flag] = NextStep(text, item.due_on if item else None)
    return steps


def advice(steps: Mapping[str, NextStep]) -> list[Advice]:
    """Return the next steps with their flags; flags with the same one share it."""
    flags_by_text: dict[str, list[str]] = {}
    for flag, step in steps.items():
        flags_by_text.setdefault(step.text, []).append(flag)
    return [Advice(text, flags) for text, flags in flags_by_text.items()]


@dataclass(frozen=True)
class Contact:
    """The last time that the company or a colleague did something: an event, or a note."""

    at: datetime
    author: str | None = None


@dataclass(frozen=True)
class KeyFacts:
    """The facts that a team looks for first; None and missing ones are not shown."""

    team: TeamColumns
    plan: Any
    contact: Contact | None


def key_facts(company: Company, book: RuleBook | None, notes: Sequence[Note]) -> KeyFacts:
    """Return the facts of a company; `notes` are its notes, newest first.

    The plan is the custom field `plan`, if it is sent.
    """
    contacts = [Contact(note.at, note.author) for note in notes[:1]]
    last_event_at = company.traits.newest_event_at
    if last_event_at is not None:
        contacts.append(Contact(last_event_at))
    return KeyFacts(
        team_columns(company.traits, book),
        company.traits.custom.get("plan"),
        max(contacts, key=lambda contact: contact.at, default=None),
    )
