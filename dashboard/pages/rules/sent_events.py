"""What an organization sends, for examples and for the form of a flag."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from redis.exceptions import RedisError

from dashboard.access import Member
from dashboard.pages.rules.flag_form import KEY, SENT
from dashboard.web.context import app_context, now, rules_in_force
from models.companies.companies import CORE_FIELDS
from models.companies.fields import field_names
from models.database import read_one_snapshot, transaction
from models.events import event_volumes
from queues.refused.unknown_event_keys import UnknownKeys
from rules.book import RuleBook
from rules.edits.event_choices import SentEvent
from rules.edits.events import key_for
from rules.file.flag import ANY_EVENT
from rules.flags import Flag
from services.rules.event_acceptance import accept_event
from services.rules.event_matching import spelling, suggest_events
from services.rules.rule_books import NO_RULES


@dataclass(frozen=True)
class Sent:
    """What an organization sends: event keys that are stored, names that are refused, fields.

    `refused` is empty while Redis does not respond. `rules` are those in force.
    """

    stored: Sequence[str]
    refused: Sequence[str]
    fields: frozenset[str]
    rules: RuleBook

    @cached_property
    def all_names(self) -> list[str]:
        """Everything that is sent, stored or refused, in alphabetical order."""
        return sorted({*self.stored, *self.refused}, key=str.casefold)

    @cached_property
    def other_names(self) -> Mapping[str, list[str]]:
        """Each event that is sent, by one name, with the refused names that are spelled alike.

        The name is what it is stored as, or else one that is a good key, if there is any.
        """
        stored = {*self.stored}
        best_first = sorted(
            self.all_names, key=lambda name: (name not in stored, key_for(name, ()) != name)
        )
        named: dict[str, str] = {}
        for name in best_first:
            named.setdefault(spelling(name), name)
        others: dict[str, list[str]] = {}
        for name in best_first:
            event = name if name in stored else named[spelling(name)]
            others.setdefault(event, []).extend([name] if name != event else [])
        return others

    @property
    def names(self) -> list[str]:
        """A name of each event that is sent, in alphabetical order."""
        return sorted(self.other_names, key=str.casefold)

    def event(self, name: str, own_key: str | None = None) -> SentEvent:
        """Return an event by what it is sent as.

        What is stored keeps its key, and what the rules in force say about it. A name that is no
        good key gets `own_key`, or else a key that is made from it.
        """
        others = tuple(self.other_names.get(name, ()))
        known = self.rules.events.get(name)
        if known is not None:
            title = known.name if known.name != name else None
            return SentEvent(name, (*known.called, *others), title)
        key = key_for(name, {*self.rules.events, *self.stored})
        if name in self.stored or key == name:
            return SentEvent(name, others)
        return SentEvent(own_key or key, (name, *others), name)

    def others(self, chosen: Collection[str]) -> list[str]:
        """Return what else is sent and not refused on purpose."""
        disabled = {event.key for event in self.rules.events.values() if not event.enabled}
        return [name for name in self.names if name not in disabled and name not in chosen]


@dataclass(frozen=True)
class EventOptions:
    """The events of a draft with what is sent of each in 30 days, and names that are sent besides.

    `fields` are the names of the fields of companies.
    """

    accepted: Sequence[tuple[str, str, int]]
    refused: Sequence[str]
    fields: Sequence[str]
    sent: Sent

    def value_for(self, example: RuleBook, flag: Flag) -> str:
        """Return the option that fits the event of an example's flag; empty if none does."""
        key = flag.selector.event_key
        if not flag.counts_events:
            return ""
        if key is None:
            return KEY + ANY_EVENT
        known = {option: name for option, name, _ in self.accepted}
        if key in known:
            return KEY + key
        names = {key: example.events[key]}
        suggested = suggest_events(names, [*known, *self.refused]).get(key)
        if suggested is None:
            return ""
        return (KEY if suggested in known else SENT) + suggested

    def accept(self, text: str, option: str) -> tuple[str, str | None]:
        """Return a text that accepts the event of an option, and its key; None for no event.

        Raises:
            RuleEditError: the event cannot be added.
        """
        if option.startswith(KEY):
            return text, option.removeprefix(KEY)
        name = option.removeprefix(SENT)
        if not option.startswith(SENT) or name not in self.refused:
            return text, None
        return accept_event(text, name, self.sent.stored)


def read_event_options(member: Member, book: RuleBook) -> EventOptions:
    """Read what an organization sends, for the form of a flag of a draft."""
    sent = read_sent(member)
    with transaction():
        volumes = event_volumes.read_volumes(member.organization.id, now())
    enabled = [event for event in book.events.values() if event.enabled]
    counts: Mapping[str, int] = {key: volume.in_a_month for key, volume in volumes.items()}
    accepted = [(event.key, event.name, counts.get(event.key, 0)) for event in enabled]
    accepted.sort(key=lambda event: (-event[2], event[1].casefold()))
    known = {*book.events, *(name for event in book.events.values() for name in event.called)}
    refused = [name for name in sent.all_names if name not in known]
    return EventOptions(accepted, refused, sorted(f"company.{name}" for name in sent.fields), sent)


def read_sent(member: Member) -> Sent:
    """Read what an organization sends."""
    organization_id, at = member.organization.id, now()
    with transaction():
        read_one_snapshot()
        stored = list(event_volumes.read_volumes(organization_id, at))
        fields = field_names.list_names(organization_id)
        book = rules_in_force(member.organization) or NO_RULES
    try:
        unknown = UnknownKeys(app_context().broker.client).of_organization(organization_id, at)
    except RedisError:
        unknown = []
    known = {*stored, *book.events, *(n for event in book.events.values() for n in event.called)}
    refused = [key.event_key for key in unknown if key.event_key not in known]
    return Sent(stored, refused, frozenset([*fields, *CORE_FIELDS]), book)
