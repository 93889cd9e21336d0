"""How English sentences name the events that a flag counts: `reports`, `nobody signed in`.

Event names are free text, but nearly all of them follow one of three patterns: a thing (`login`,
`Page view`), a thing and what happened to it (`Report created`, `invoice_paid`), or what somebody
did (`Signed in`). A name of any other form is quoted: `“Отчёт создан” events`.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rules.book import RuleBook
from rules.flags import Flag
from rules.wording.names import plain_name, plural_noun, singular_noun, words_of


@dataclass(frozen=True)
class EventWords:
    """How to name one event, several, and none: `report`, `reports`, `no reports`.

    `trend` is the subject of a sentence about their number. `specific` is whether the words end
    with what happened, such as `invoices paid`. `thing` and `done` are the parts of a sentence
    such as `one more report is created`; they are empty where that would be no English.
    """

    one: str
    many: str
    none: str
    trend: str
    specific: bool = False
    thing: str = ""
    done: str = ""

    def count(self, number: int | str) -> str:
        """Return a number of events; a text, such as `3+` or `no`, takes the plural."""
        return f"{number} {self.one if number == 1 else self.many}"

    def occur(self, number: int) -> str:
        """Return that further events occur: `2 more reports are created`, or `… logins`."""
        how_many, verb = ("one more", "is") if number == 1 else (f"{number:,} more", "are")
        if not self.done:
            return f"there {verb} {how_many} {self._one_event if number == 1 else self._events}"
        noun = singular_noun(self.thing) if number == 1 else plural_noun(self.thing)
        return f"{how_many} {noun} {verb} {self.done}"

    @property
    def some_occur(self) -> str:
        """That any events occur: `reports are created`, `there are logins`."""
        if not self.done:
            return f"there are {self._events}"
        return f"{plural_noun(self.thing)} are {self.done}"

    @property
    def _one_event(self) -> str:
        return f"“{self.one}” event" if self.specific else self.one

    @property
    def _events(self) -> str:
        return f"“{self.one}” events" if self.specific else self.many


ANY_EVENT = EventWords("event", "events", "no activity", "activity")


def event_words(book: RuleBook, flag: Flag) -> EventWords:
    """Return how to name the events that a flag counts."""
    key = flag.selector.event_key
    if key is None:
        return ANY_EVENT
    names = {other.key: other.name for other in book.events.values()}
    own = _read(names.pop(key, key), key)
    return own.words({_read(name, other).noun for other, name in names.items()})


@dataclass(frozen=True)
class _EventName:
    """An event's name taken apart: the noun, and what happened; one of them may be empty.

    For a name of another form, both are empty, and `quoted` is the name in quotation marks.
    """

    noun: str = ""
    done: str = ""
    quoted: str = ""

    def words(self, nouns_of_others: Collection[str]) -> EventWords:
        """Return the words; what happened is omitted where the noun alone is clear."""
        if self.quoted:
            return _nouns(f"{self.quoted} event", f"{self.quoted} events")
        if not self.noun:
            many = _NOUNS.get(self.done, f"“{self.done}” events")
            return EventWords(singular_noun(many), many, f"nobody {self.done}", many)
        one, many = singular_noun(self.noun), plural_noun(self.noun)
        is_passive = self.done in _COMES_INTO_BEING or self.done in _DONE_TO_THINGS
        words = _nouns(one, many)
        if self.done and (self.done not in _COMES_INTO_BEING or self.noun in nouns_of_others):
            one, many = f"{one} {self.done}", f"{many} {self.done}"
            words = EventWords(one, many, f"no {many}", many, specific=True)
        return replace(words, thing=self.noun, done=self.done) if is_passive else words


def _nouns(one: str, many: str) -> EventWords:
    return EventWords(one, many, f"no {many}", many)


_COMES_INTO_BEING = frozenset(
    (
        "created",
        "filed",
        "made",
        "opened",
        "placed",
        "raised",
        "received",
        "sent",
        "submitted",
        "written",
    )
)
"""What need not be said of a thing: reports that fell from 17 to 6 are reports created."""

_DONE_TO_THINGS = frozenset(
    (
        "added", "approved", "archived", "assigned", "booked", "cancelled", "canceled", "closed",
        "completed", "configured", "connected", "deleted", "delivered", "deployed", "disabled",
        "downloaded", "edited", "enabled", "exported", "generated", "imported", "installed",
        "invited", "merged", "paid", "printed", "processed", "published", "purchased", "read",
        "removed", "resolved", "reviewed", "run", "saved", "scheduled", "shared", "signed", "sold",
        "solved", "started", "tested", "updated", "uploaded", "used", "viewed",
    )
)  # fmt: skip
"""Participles of verbs with an object, of which `is` makes the passive; `failed` is none."""

_PARTICLES = frozenset(("in", "out", "up", "off", "on", "down", "over", "back"))

_NOUNS = {
    "signed in": "sign-ins",
    "signed out": "sign-outs",
    "signed up": "sign-ups",
    "logged in": "logins",
    "logged out": "logouts",
    "checked in": "check-ins",
    "checked out": "checkouts",
    "opted in": "opt-ins",
    "opted out": "opt-outs",
    "upgraded": "upgrades",
    "downgraded": "downgrades",
    "purchased": "purchases",
    "searched": "searches",
    "clicked": "clicks",
    "visited": "visits",
    "renewed": "renewals",
    "paid": "payments",
}

_IRREGULAR = frozenset(
    (
        "begun",
        "bought",
        "built",
        "chosen",
        "complete",
        "cut",
        "done",
        "drawn",
        "found",
        "given",
        "held",
        "hit",
        "kept",
        "lost",
        "made",
        "met",
        "paid",
        "put",
        "read",
        "run",
        "seen",
        "sent",
        "set",
        "shown",
        "shut",
        "sold",
        "spent",
        "split",
        "taken",
        "told",
        "won",
        "written",
    )
)
"""Participles without `-ed`, and words that are used like them."""

_NOT_DONE = re.compile(r"(?:.*eed|bed|red|shed|sled|embed|ted|med)")
"""Words that end like a participle and are none."""

_JOINING = frozenset(("and", "at", "by", "for", "from", "of", "or", "the", "to", "via", "with"))
"""Words of names that are clauses or phrases, whose last word is not their noun."""

_COMMANDS = frozenset(
    (
        "add",
        "create",
        "delete",
        "edit",
        "export",
        "invite",
        "open",
        "remove",
        "send",
        "start",
        "update",
        "use",
        "view",
    )
)
"""First words of names such as `Create report`."""


@lru_cache(maxsize=4096)
def _read(name: str, key: str) -> _EventName:
    """Take an event's name apart; `key` replaces a name that cannot be seen."""
    name = plain_name(name) or plain_name(key)
    words = words_of(name)
    if not words or not all(re.fullmatch(r"[A-Za-z][A-Za-z'-]*", word) for word in words):
        return _EventName(quoted=f"“{name}”")
    done = _done_at_the_end(words)
    noun = words[: len(words) - len(done)]
    is_command = len(words) > 1 and words[0] in _COMMANDS and not done
    if is_command or _JOINING.intersection(words) or any(map(_is_done, noun)):
        return _EventName(quoted=f"“{name}”")
    return _EventName(" ".join(noun), " ".join(done))


def _done_at_the_end(words: Sequence[str]) -> Sequence[str]:
    """Return the words at the end that tell what happened, such as `signed in`."""
    if _is_done(words[-1]):
        return words[-1:]
    if len(words) > 1 and words[-1] in _PARTICLES and _is_done(words[-2]):
        return words[-2:]
    return ()


def _is_done(word: str) -> bool:
    return word in _IRREGULAR or (
        len(word) > 3 and word.endswith("ed") and not _NOT_DONE.fullmatch(word)
    )
