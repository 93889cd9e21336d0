"""Suggests which of the events that are sent an example means.

`Report Created`, `reportCreated` and `created_report` are all taken for `report_created`, and
`User Logged In` for `login`.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import SequenceMatcher
from functools import lru_cache

from rules.book import EventSetting

CLOSE_ENOUGH = 0.72
"""The least similarity of a suggestion, from 0 to 1."""

MOST_COMPARED = 300
"""The most keys that are compared."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_SAME_AS: tuple[tuple[str, str], ...] = (
    (r"\b(sign|log)(s|ed|ged|g?ing)? (in|on)\b|\b(signin|logon|session (started|created|begun))\b",
     "login"),
    (r"\b(administrator|superuser)\b", "admin"),
    (r"\b(member|colleague|team mate|seat)s?\b", "teammate"),
    (r"\b(case|request)s? (opened|created|submitted|filed)\b", "ticket opened"),
    (r"\bticket (created|submitted|filed)\b", "ticket opened"),
    (r"\b(replied|responded)\b", "answered"),
    (r"\binvoice (payment )?(succeeded|settled)\b|\bpayment (received|succeeded)\b",
     "invoice paid"),
)  # fmt: skip
"""Expressions that other products have for the same thing."""
_WITHOUT_MEANING = {"user", "the", "a", "an", "event", "app", "was", "has", "been"}


@lru_cache(10_000)
def spelling(name: str) -> str:
    """Return the words of a key or name, the same for `Report Created` and `report_created`."""
    return _in_words(name) or name


def suggest_events(
    events: Mapping[str, EventSetting], sent: Collection[str]
) -> dict[str, str | None]:
    """Return a sent key for each event of an example; None for those that nothing resembles.

    A key is suggested for one event only, the one that it resembles most.
    """
    words = {key: _words(key) for key in list(sent)[:MOST_COMPARED]}
    pairs = sorted(
        (
            (_resemblance(event, key, words[key]), name, key)
            for name, event in events.items()
            for key in words
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    suggested: dict[str, str | None] = dict.fromkeys(events)
    taken: set[str] = set()
    for resemblance, name, key in pairs:
        if resemblance >= CLOSE_ENOUGH and suggested[name] is None and key not in taken:
            suggested[name] = key
            taken.add(key)
    return suggested


def _resemblance(event: EventSetting, key: str, words: frozenset[str]) -> float:
    if key == event.key:
        return 2.0
    return max(_similarity(_words(text), words) for text in (event.key, event.name))


def _similarity(first: frozenset[str], second: frozenset[str]) -> float:
    """Return how alike two sets of words are, from 0 to 1, whatever their order."""
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    best = [max(_likeness(a, b) for b in second) for a in first]
    back = [max(_likeness(a, b) for b in first) for a in second]
    # The least similar word counts most: `report created` is no `report deleted`.
    return min(sum(best) / len(best), sum(back) / len(back), 0.5 + min(*best, *back) / 2)


@lru_cache(10_000)
def _likeness(first: str, second: str) -> float:
    """Return how alike two words are; words with different first letters are not compared."""
    return SequenceMatcher(None, first, second).ratio() if first[0] == second[0] else 0.0


def _words(name: str) -> frozenset[str]:
    """Return the words of a key or name in a common form."""
    text = _in_words(name)
    for pattern, common in _SAME_AS:
        text = re.sub(pattern, common, text)
    return frozenset(_stems(text.split()))


def _in_words(name: str) -> str:
    return " ".join(_WORD.findall(name)).lower()


def _stems(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        if word not in _WITHOUT_MEANING:
            yield re.sub(r"(?<=\w{3})(ing|ed|es|e|s)$", "", word)
