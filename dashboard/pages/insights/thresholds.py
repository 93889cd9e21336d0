"""The flags that count an event, with how many companies are at and near their thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.pages.insights.bands import Band, Bin, bands, bins
from dashboard.pages.insights.frame import NARROW, WIDE
from dashboard.presentation.charts import columns
from dashboard.presentation.charts.columns import Column
from dashboard.presentation.wording import tone_of
from rules.book import RuleBook
from rules.durations import format_duration, pluralize
from rules.flags import Flag
from rules.phrases.fields import format_value
from services.insights.answers import MAX_NUMBER, Answer
from services.insights.questions import Distribution
from services.insights.thresholds import Threshold, distributions


@dataclass(frozen=True)
class FlagWindow:
    """A flag that counts an event in a window, with its thresholds there, worst first."""

    flag: Flag
    question: Distribution
    thresholds: Sequence[Threshold]


@dataclass(frozen=True)
class FlagDistribution:
    """What the page shows of a flag's counts; `bands` is empty while there is no answer.

    `noun` is what is counted, event or user.
    """

    flag: str
    title: str
    filter: str | None
    bands: Sequence[Band]
    bins: Sequence[Bin]
    companies: int
    summary: str
    noun: str
    notes: Sequence[str]
    as_of: datetime | None
    wide: columns.ColumnsChart | None
    narrow: columns.ColumnsChart | None


def windows_of(book: RuleBook, event_key: str) -> list[FlagWindow]:
    """Return the flags that count a key, or any event, with each of their windows."""
    return [
        FlagWindow(flag, question, thresholds)
        for flag in _flags_about(book, event_key)
        for question, thresholds in distributions(book, flag.name)
    ]


def flags_without_count(book: RuleBook, event_key: str) -> list[str]:
    """Return the flags that evaluate something other than a count of this key, such as a share."""
    return [
        flag.name
        for flag in _flags_about(book, event_key)
        if flag.selector.event_key == event_key and not distributions(book, flag.name)
    ]


def flag_distributions(
    book: RuleBook, windows: Sequence[FlagWindow], answers: Sequence[Answer]
) -> list[FlagDistribution]:
    """Return the distribution of each flag and window, from the answer to its question."""
    return [
        _flag_distribution(book, window, answer)
        for window, answer in zip(windows, answers, strict=True)
    ]


def _flags_about(book: RuleBook, event_key: str) -> list[Flag]:
    return [
        flag
        for flag in book.flags
        if flag.counts_events and flag.selector.event_key in (event_key, None)
    ]


def _flag_distribution(book: RuleBook, window: FlagWindow, answer: Answer) -> FlagDistribution:
    question, thresholds = window.question, window.thresholds
    answered = answer.value is not None
    pairs = [(number, companies) for number, companies in answer.value or ()]
    flag_bands = bands(pairs, thresholds) if answered else []
    flag_bins = bins(pairs, thresholds) if answered else []
    noun = "user" if question.users else "event"
    drawn = [_column(counts, noun, book.statuses) for counts in flag_bins]
    return FlagDistribution(
        flag=window.flag.name,
        title=_title(question),
        filter=_describe_filter(question),
        bands=flag_bands,
        bins=flag_bins,
        companies=sum(companies for _, companies in pairs),
        summary=_summarize(flag_bands, noun),
        noun=noun,
        notes=_notes(window),
        as_of=answer.as_of,
        wide=columns.draw(drawn, width=WIDE) if answered else None,
        narrow=columns.draw(drawn, width=NARROW) if answered else None,
    )


def _column(counts: Bin, noun: str, statuses: Sequence[str]) -> Column:
    return Column(
        counts.label,
        counts.companies,
        f"{counts.label} {noun if counts.label == '1' else noun + 's'}:"
        f" {pluralize(counts.companies, 'company', 'companies')}"
        + (f", {counts.status}" if counts.status else ""),
        tone_of(counts.status, statuses) if counts.status else "plain",
    )


def _title(question: Distribution) -> str:
    """Return the question in words."""
    window = format_duration(question.window)
    any_event = question.event_key is None
    if question.users:
        action = "were active" if any_event else "used it"
        return f"How many users of each company {action} in {window}?"
    if any_event:
        return f"How many events did each company have in {window}?"
    return f"How often did each company use it in {window}?"


def _describe_filter(question: Distribution) -> str | None:
    """Describe which events count, if that depends on their data."""
    conditions = [
        f"data.{'.'.join(path)} is {' or '.join(format_value(value) for value in values)}"
        for path, values in question.where
    ]
    return " and ".join(conditions) or None


def _summarize(flag_bands: Sequence[Band], noun: str) -> str:
    """Describe how many companies are one away, mildest threshold first: most are near it."""
    sentences = []
    for band in reversed(flag_bands):
        if band.one_away:
            are = "company is" if band.one_away == 1 else "companies are"
            sentences.append(f"{band.one_away:,} {are} one {noun} away from {band.status}")
    if not sentences:
        return f"No company is one {noun} away from a threshold."
    return ", ".join(sentences) + "."


def _notes(window: FlagWindow) -> list[str]:
    """Return what decides about the flag besides the count."""
    flag, notes = window.flag, []
    if any(threshold.number > MAX_NUMBER for threshold in window.thresholds):
        notes.append(
            f"Counts from {MAX_NUMBER:,} on are grouped, so they are not split by threshold."
        )
    if flag.lasting:
        notes.append(
            f"The flag is raised only after this has been true for {format_duration(flag.lasting)}."
        )
    if flag.recover is not None:
        notes.append(f"Once raised, the flag stays raised until: {str(flag.recover).lower()}.")
    if flag.applies_to or flag.wait:
        notes.append("Companies to which the flag does not apply, or not yet, are left out.")
    return notes
