"""Names from rules and fields in English sentences: their words, their number, and their length."""

import re
import unicodedata

LONGEST = 40
"""Characters of a name or value in a sentence."""

_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN", "RLE", "RLO", "RLI"))
_ISOLATE, _END = "\u2068", "\u2069"

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Controls, line breaks, and directions that would reorder the sentence."""

_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that are drawn as nothing."""

_INITIALS = frozenset(
    (
        "acv",
        "aov",
        "api",
        "arr",
        "ces",
        "csat",
        "ip",
        "ltv",
        "sla",
        "sso",
        "url",
        "usd",
        "eur",
        "id",
        "ai",
    )
)
"""Abbreviations with a vowel; those without one are recognized."""

_UNCOUNTED = frozenset(
    ("data", "feedback", "information", "news", "nps", "revenue", "spend", "time", "usage")
)

_PLURALS = {"person": "people", "child": "children", "man": "men", "woman": "women"}
_SINGULARS = {plural: singular for singular, plural in _PLURALS.items()}


def plain_name(name: str, longest: int = LONGEST) -> str:
    """Return a name on one line, without characters that cannot be seen, and not too long.

    A name that is written from right to left is isolated, so that the sentence keeps its order.
    """
    text = " ".join(_UNSAFE.sub(" ", name).split())
    if not any(map(is_visible, text)):
        return ""
    if len(text) > longest:
        text = f"{text[: longest - 1].rstrip()}…"
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return f"{_ISOLATE}{text}{_END}"
    return text


def is_visible(character: str) -> bool:
    """Whether a character alone leaves a mark: not a blank, a control, or an accent for another."""
    return unicodedata.category(character)[0] not in "CZM" and character not in _BLANKS


def words_of(name: str) -> list[str]:
    """Return the words of a name or key, in lower case but for abbreviations.

    `Report created`, `report_created`, `ReportCreated` and `report-created` have the same words.
    """
    separators = r"[_./:\s]+" if " " in name else r"[_./:\s-]+"
    spaced = re.sub(separators, " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))
    return [_in_sentence(word) for word in spaced.split()]


def _in_sentence(word: str) -> str:
    """Return a word as it is inside a sentence."""
    lower = word.lower()
    if lower in _INITIALS or (1 < len(word) < 5 and re.fullmatch("[b-df-hj-np-tv-xz]+", lower)):
        return word.upper()
    return lower if word[1:].islower() or len(word) == 1 else word


def field_words(field: str) -> str:
    """Return the name of a field in a sentence: `NPS`, `renewal date`, `open tickets`."""
    words = words_of(field)
    return plain_name(" ".join(words)) or plain_name(field) or "a field"


def is_plural(noun: str) -> bool:
    """Whether a noun, or the last word of several, is in the plural."""
    last = noun.rsplit(" ", 1)[-1]
    if last in _SINGULARS:
        return True
    return last.islower() and len(last) > 3 and bool(re.search(r"[^suia']s$|ses$|ies$", last))


def plural_noun(noun: str) -> str:
    """Return a noun in the plural."""
    before, last = _split(noun)
    if is_plural(last) or last.lower() in _UNCOUNTED:
        return noun
    if last in _PLURALS:
        return before + _PLURALS[last]
    if re.search(r"[^aeiou]y$", last):
        return f"{before}{last[:-1]}ies"
    return f"{noun}es" if re.search(r"(?:s|x|z|ch|sh)$", last) else f"{noun}s"


def singular_noun(noun: str) -> str:
    """Return a noun in the singular."""
    before, last = _split(noun)
    if not is_plural(last):
        return noun
    if last in _SINGULARS:
        return before + _SINGULARS[last]
    if last.endswith("ies"):
        return f"{before}{last[:-3]}y"
    return noun[:-2] if re.search(r"(?:ss|x|z|ch|sh)es$", last) else noun[:-1]


def _split(noun: str) -> tuple[str, str]:
    before, space, last = noun.rpartition(" ")
    return before + space, last
