"""Turns parse errors into sentences that a person can act on."""

import re
from dataclasses import dataclass

from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from rules.faults import RuleError, did_you_mean

EXAMPLES = {
    "when": "`less than 5 times in 7 days`, `no activity for 7 days`, `company.nps below 7`",
    "new_company": "`judge at once` or `wait 7 days`",
    "lasting": "`1 day` or `12 hours`",
    "ignore_if": "`previous under 20`",
    "offset": "`3 days 4 hours`",
    "notify_when": "`status becomes Critical`, `status recovers`, `flag Usage drop is raised`",
    "together": "`together within 10 minutes`",
    "quiet": "`18:00-08:00 and weekends in Europe/Berlin`",
    "digest": "`Mondays at 08:00 in Europe/Berlin`, `weekdays at 08:00 in UTC`",
}

_EXAMPLES_BY_WORD = {
    r"never": "`never within 14 days of company.signup_date`",
    r"flag": "`flag Usage drop is At Risk`",
    r"sum|average|highest|lowest": "`sum of data.amount below 1000 in 30 days`",
    r"down|up": "`down 40% in 30 days`",
    r"distinct users in": "`distinct users in 30 days below 50% of company.seats`",
    r".*\b(distinct|users?)": "`fewer than 3 distinct users in 30 days`",
    r"company.* within": "`company.renewal_date within 60 days`",
    r"company.* is": "`company.plan is Free`, `company.csm_name is missing`",
    r"company": "`company.nps below 7`, `company.plan is Free`",
    r"no\b": "`no activity for 7 days`",
    r"(at|more|less|fewer|[<>])": "`less than 5 times in 7 days`, `at least 2 times in 1 hour`",
}
"""The example for a phrase that begins like this, by a pattern."""

_WORDS = {
    "NUMBER": "a number",
    "DECIMAL": "a number",
    "COMPANY": "a field such as `company.plan`",
    "DATA": "a value such as `data.amount`",
    "FLAG_NAME": "the name of a flag",
    "CHANGED_FLAG": "the name of a flag",
    "CLOCK_TIME": "a time such as `08:00`",
    "DAY": "a day such as `Mondays`",
    "MINUS": "`-`",
    "ZONE": "a time zone such as `Europe/Berlin`",
    "VALUE": "a value",
    "PERCENT": "`%`",
    "OR_WORSE": "`or worse`",
    "ABOVE": "`above`",
    "BELOW": "`below`",
    "DISTINCT": "`distinct`",
    "LAST": "",
    "THE": "",
    "LPAR": "",
    "RPAR": "",
    "AND": "",
    "OR": "",
    "$END": "",
    "<END-OF-FILE>": "",
    "WS": "",
    **dict.fromkeys(("LE", "GE", "LT", "GT"), ""),
}
_ORDER = ("SECONDS", "MINUTES", "HOURS", "DAYS", "WEEKS")
_MAX_LISTED = 7
"""With this many expected words or more, an example is clearer than a list."""

_NUMBER_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six",
    "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


@dataclass(frozen=True)
class _Mistake:
    """A common mistake, as a pattern, and the advice to give.

    In `advice`, `{0}` is the matched text and `{1}` its first group. `start` is the kind of phrase,
    `expected` a word that would be correct there; None matches any.
    """

    pattern: str
    advice: str
    start: str | None = None
    expected: str | None = None


_MISTAKES = (
    _Mistake(
        r"(month|quarter|year)s?\b",
        "a {1} has no fixed length; use days or weeks, for example `30 days`",
    ),
    *(
        _Mistake(rf"{word}\b", f"write numbers in digits: `{number}` instead of `{{0}}`")
        for number, word in enumerate(_NUMBER_WORDS)
    ),
    *(
        _Mistake(
            r"(per|an?|each|every)\b",
            "`{0}` is not understood here; write for example `in 7 days`",
            "when",
            word,
        )
        for word in ("`in`", "a number")
    ),
    *(
        _Mistake(
            r"(per|an?|each|every)\b",
            f"`{{0}}` is not understood here; write for example {EXAMPLES[start]}",
            start,
            "a number",
        )
        for start in EXAMPLES
        if start != "when"
    ),
    _Mistake(
        r"[0-9]+\s+(or\s+more\s+)?times?\b",
        "say how it is compared: `at least 5 times`, `less than 5 times`",
        "when",
    ),
    _Mistake(
        r"[0-9]+[.,][0-9]+\s+\w",
        "a window is a whole number of its unit, such as `36 hours` instead of `1.5 days`",
        expected="a number",
    ),
    _Mistake(r",[0-9]", "write numbers without commas: `1000`"),
    _Mistake(
        "=(?![<>])",
        "`=` is not understood here; write `is`, as in `company.plan is Free`",
        expected="`is`",
    ),
    _Mistake(r"percent\b", "write `%` directly after the number, as in `50%`", expected="`%`"),
    _Mistake(r"in\b", "`in` is not understood here; did you mean `within`?", expected="`within`"),
    _Mistake(
        r"(\w+)\s+(below|above|is|within)\b",
        "a field is written with its root: `company.{1}`",
        "when",
    ),
    _Mistake(
        r"(exactly\b|between\b|==?(?![<>]))",
        "there is no `{0}`; join two phrases, such as"
        " `at least 2 times in 7 days and at most 5 times in 7 days`",
    ),
    _Mistake(
        r"(?!activity)\w+\s+for\b",
        "write `no activity for`; the event is named under `event`",
        "when",
    ),
    _Mistake(
        "[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]",
        "`{0}` is a curly quote; use straight ones, or none",
    ),
    _Mistake(r"[0-9]+\s+\w+", "write `wait {0}`", "new_company"),
    _Mistake(
        r"is\b",
        "`is` is not understood here; write `becomes`, as in `status becomes Critical`",
        "notify_when",
        "`becomes`",
    ),
    _Mistake(
        r"[^()\"]+?\s+is\s",
        "write `becomes` or `is raised`, as in `flag Usage drop becomes At Risk`",
        "notify_when",
        "the name of a flag",
    ),
    _Mistake(r"data\b", "`{0}` needs the name of a value, such as `data.amount`"),
    _Mistake(r"company\b", "`{0}` needs the name of a value, such as `company.plan`"),
)


class PhraseError(RuleError):
    """Raised when a phrase cannot be parsed; `offset` is the 0-based position of the fault."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def explain_mistake(error: UnexpectedInput, text: str, start: str) -> PhraseError:
    """Return an error with a sentence about what was written and what was expected."""
    expected, example = _expected_words(error), _find_example(text, start)
    if isinstance(error, UnexpectedCharacters):
        offset = error.pos_in_stream or 0
    elif isinstance(error, UnexpectedToken) and error.token.type != "$END":
        offset = error.token.start_pos or 0
    else:
        offset = len(text)
    match = re.match(r"[\w\u2019']+|\S", text[offset:])
    if not match and text.count("(") > text.count(")"):
        return PhraseError("`(` is never closed; put a `)`", text.index("("))
    if isinstance(error, UnexpectedEOF) or not match:
        return PhraseError(
            f"the phrase ends too soon, {_describe_expected(expected, example)}", len(text)
        )
    word = match.group()
    advice = _advice_on_common_mistake(text[offset:], start, set(expected))
    if advice is None:
        words = [name.strip("`") for name in expected]
        hint = did_you_mean(word, words) or f", {_describe_expected(expected, example)}"
        advice = f"`{word}` is not understood here{hint}"
    return PhraseError(advice, offset)


def _advice_on_common_mistake(rest: str, start: str, expected: set[str]) -> str | None:
    """Return the advice on a common mistake that fits the expected words, if there is one."""
    for mistake in _MISTAKES:
        match = re.match(f"(?i){mistake.pattern}", rest)
        applies = mistake.start in (None, start) and mistake.expected in (None, *expected)
        if match and applies:
            return mistake.advice.format(match.group(), *match.groups())
    return None


def _expected_words(error: UnexpectedInput) -> list[str]:
    parser = getattr(error, "interactive_parser", None)
    # The parser's table lists more terminals: it merges the states of several kinds of phrases.
    terminals = parser.accepts() if parser else getattr(error, "allowed", None) or ()
    in_order = sorted(terminals, key=lambda t: (_ORDER.index(t) if t in _ORDER else -1, t))
    words = (_WORDS.get(terminal, f"`{terminal.lower()}`") for terminal in in_order)
    return list(dict.fromkeys(word for word in words if word))


def _find_example(text: str, start: str) -> str:
    for beginning, example in _EXAMPLES_BY_WORD.items():
        if start == "when" and re.match(rf"(?i)\s*(not\s+)?({beginning})", text):
            return f"for example {example}"
    return f"for example {EXAMPLES[start]}"


def _describe_expected(words: list[str], example: str) -> str:
    if not words:
        return f"expected nothing more: {example}"
    if len(words) >= _MAX_LISTED:
        return f"write {example}"
    return f"expected {' or '.join(words)}: {example}"
