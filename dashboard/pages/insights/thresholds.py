"""How companies lie about the thresholds of a flag: whom its phrases hold for, who is one away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from dashboard.pages.insights.frame import DASH, NARROW, WIDE
from dashboard.presentation.charts import columns
from dashboard.presentation.charts.columns import Column
from dashboard.presentation.wording import tone_of
from rules.book import RuleBook
from rules.durations import format_duration, pluralize
from rules.flags import Flag
from rules.phrases.fields import format_value
from services import insights
from services.insights import HIGHEST, Distribution, Answer, Threshold

MOST_SINGLE = 24
"""Numbers up to which each has a column of its own."""

LEAST_SHOWN = 10


@dataclass(frozen=True)
class Counting:
    """A flag that counts an event in a window, and the thresholds there, the worst first."""

    flag: Flag
    question: Distribution
    thresholds: Sequence[Threshold]


@dataclass(frozen=True)
class Band:
    """A threshold with how many companies are at it by the count, and how many one away.

    A company is at the worst threshold that holds for it; the last band is of none.
    `one_away` is None where it cannot be told, or nobody can be.
    """

    status: str | None
    phrase: str
    companies: int
    one_away: int | None


@dataclass(frozen=True)
class Bin:
    """Companies with counts from `low` to `high`, which is None for any more."""

    low: int
    high: int | None
    companies: int
    status: str | None

    @property
    def label(self) -> str:
        """The counts: one number, the first and the last of several, or `20+`."""
        if self.high is None:
            return f"{self.low:,}+"
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,}{DASH}{self.high:,}"


@dataclass(frozen=True)
class Shown:
    """A flag's counts as the page shows them; `bands` is empty while nothing is known."""

    flag: str
    asks: str
    only: str | None
    bands: Sequence[Band]
    bins: Sequence[Bin]
    companies: int
    answer: str
    one: str
    notes: Sequence[str]
    as_of: datetime | None
    wide: columns.ColumnsChart | None
    narrow: columns.ColumnsChart | None


def counting(book: RuleBook, event_key: str) -> list[Counting]:
    """The flags that count a key, or any event, with each of their windows."""
    return [
        Counting(flag, question, thresholds)
        for flag in _about(book, event_key)
        for question, thresholds in insights.distributions(book, flag.name)
    ]


def not_counting(book: RuleBook, event_key: str) -> list[str]:
    """The flags about this key that judge something else of it than a count, such as a share."""
    return [
        flag.name
        for flag in _about(book, event_key)
        if flag.selector.event_key == event_key and not insights.distributions(book, flag.name)
    ]


def read(book: RuleBook, asked: Sequence[Counting], looked: Sequence[Answer]) -> list[Shown]:
    """The flags with what is known of each."""
    return [_shown(book, one, found) for one, found in zip(asked, looked, strict=True)]


def bands(pairs: Sequence[tuple[int, int]], thresholds: Sequence[Threshold]) -> list[Band]:
    """How many companies are at each threshold, the worst first, and at none, last."""
    numbers = dict(pairs)
    found = []
    for threshold in thresholds:
        away = threshold.one_away
        # At the highest number lie also those with more, so that none of them can be told there.
        told = away is not None and away < HIGHEST
        found.append(
            Band(
                threshold.status,
                threshold.phrase,
                sum(c for n, c in pairs if _holding(n, thresholds) is threshold),
                numbers.get(away, 0) if told and away is not None else None,
            )
        )
    none = sum(companies for n, companies in pairs if _holding(n, thresholds) is None)
    return [*found, Band(None, "None of them", none, None)]


def bins(pairs: Sequence[tuple[int, int]], thresholds: Sequence[Threshold]) -> list[Bin]:
    """The counts in steps, finer where thresholds are low; none has one within it."""
    numbers = [threshold.number for threshold in thresholds]
    end = min(max(2 * max(numbers), LEAST_SHOWN), HIGHEST)
    step = 1 if end <= MOST_SINGLE else -(-end // MOST_SINGLE)
    edges = sorted({0, *range(0, end + 1, step), *(n for n in numbers if 0 < n <= HIGHEST)})
    steps = [*((low, after - 1) for low, after in pairwise(edges)), (edges[-1], None)]
    found = []
    for low, high in steps:
        within = sum(c for n, c in pairs if n >= low and (high is None or n <= high))
        holding = _holding(low, thresholds)
        found.append(Bin(low, high, within, holding.status if holding else None))
    return found


def _about(book: RuleBook, event_key: str) -> list[Flag]:
    return [
        flag
        for flag in book.flags
        if flag.counts_events and flag.selector.event_key in (event_key, None)
    ]


def _holding(number: int, thresholds: Sequence[Threshold]) -> Threshold | None:
    """The worst threshold that holds with a count."""
    return next((one for one in thresholds if one.holds(number)), None)


def _shown(book: RuleBook, one: Counting, looked: Answer) -> Shown:
    question, thresholds = one.question, one.thresholds
    pairs = [(number, companies) for number, companies in looked.answer or ()]
    known = looked.answer is not None
    found = bands(pairs, thresholds) if known else []
    steps = bins(pairs, thresholds) if known else []
    noun = "user" if question.users else "event"
    drawn = [
        Column(
            step.label,
            step.companies,
            f"{step.label} {noun if step.label == '1' else noun + 's'}:"
            f" {pluralize(step.companies, 'company', 'companies')}"
            + (f", {step.status}" if step.status else ""),
            tone_of(step.status, book.statuses) if step.status else "plain",
        )
        for step in steps
    ]
    return Shown(
        flag=one.flag.name,
        asks=_asks(question),
        only=_only(question),
        bands=found,
        bins=steps,
        companies=sum(companies for _, companies in pairs),
        answer=_answer(found, noun),
        one=noun,
        notes=_notes(one),
        as_of=looked.as_of,
        wide=columns.draw(drawn, width=WIDE) if known else None,
        narrow=columns.draw(drawn, width=NARROW) if known else None,
    )


def _asks(question: Distribution) -> str:
    """The question in words."""
    window = format_duration(question.window)
    what = "any event" if question.event_key is None else "it"
    if question.users:
        return f"How many users of a company did {what} in {window}?"
    return f"How often did companies do {what} in {window}?"


def _only(question: Distribution) -> str | None:
    """Which events count, where it depends on their data."""
    parts = [
        f"data.{'.'.join(path)} is {' or '.join(format_value(value) for value in values)}"
        for path, values in question.where
    ]
    return " and ".join(parts) or None


def _answer(found: Sequence[Band], noun: str) -> str:
    """Who is one away, the mildest first, since most are near that one."""
    told = [band for band in reversed(found) if band.one_away]
    sentences = []
    for band in told:
        are = "company is" if band.one_away == 1 else "companies are"
        sentences.append(f"{band.one_away:,} {are} one {noun} away from {band.status}")
    return ", ".join(sentences) + "." if sentences else f"No company is one {noun} away."


def _notes(one: Counting) -> list[str]:
    """What else decides besides the count."""
    flag, notes = one.flag, []
    if any(threshold.number > HIGHEST for threshold in one.thresholds):
        notes.append(f"Counts from {HIGHEST:,} on are taken together, so not told by thresholds.")
    if flag.lasting:
        notes.append(f"It is raised only once that has held for {format_duration(flag.lasting)}.")
    if flag.recover is not None:
        notes.append(f"Once raised, it stays so until: {str(flag.recover).lower()}.")
    if flag.applies_to or flag.wait:
        notes.append("Companies to which it does not apply, or not yet, are left out.")
    return notes
