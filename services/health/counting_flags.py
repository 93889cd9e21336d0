"""Flags that only count events, whose next change follows from the time of one event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.durations import shift
from rules.facts import USER
from rules.flags import Flag
from rules.phrases.counting import Absence, Count
from rules.phrases.distinct import Distinct


@dataclass(frozen=True)
class CountedPhrase:
    """A phrase that changes when its `depth`-th latest event, or user, leaves the window."""

    depth: int
    window: timedelta
    users: bool


def counted_phrases(flag: Flag) -> Sequence[CountedPhrase] | None:
    """Return the phrases of a flag that changes by itself exactly when one of their counts does.

    None for a flag that does more than count.
    """
    if flag.recover or flag.lasting or flag.selector.where:
        return None
    phrases = []
    for _, phrase in flag.conditions:
        match phrase:
            case Absence():
                phrases.append(CountedPhrase(1, phrase.window, users=False))
            case Count():
                phrases.append(CountedPhrase(phrase.depth, phrase.window, users=False))
            case Distinct() if phrase.of == USER:
                phrases.append(CountedPhrase(phrase.depth, phrase.window, users=True))
            case _:
                return None
    return [phrase for phrase in phrases if phrase.depth > 0]


def change_time(
    due_at: datetime,
    now: datetime,
    probed: Sequence[tuple[datetime | None, CountedPhrase]],
) -> datetime | None:
    """Return when a flag changes by itself, or a time before which it does not; None if never.

    `probed` has the time of the event, or user, that each phrase depends on.
    """
    if any(at is None and phrase.users for at, phrase in probed):
        return due_at
    changes = [shift(at, phrase.window) for at, phrase in probed if at is not None]
    return min((at for at in changes if at > now), default=None)
