"""Questions about all companies: what is known in answer to them, and working them out.

Who looks gets what is known at once, as of when it was counted, and is told whether to ask for
it anew (`queues.messages.compute_answer`). So only what people look at is counted, and never while
they wait.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from models.database import transaction
from models.events.events import Filters
from models.insights import aggregates, answers
from models.insights.aggregates import Counted
from models.insights.answers import StoredAnswer
from rules.book import RuleBook
from rules.facts import USER
from rules.phrases.condition import Condition
from rules.phrases.counting import Absence, Count
from rules.phrases.distinct import Distinct

FRESH = timedelta(minutes=1)
TIMES_ITS_COST = 20
"""An answer is worked out again no sooner than so many times what it took."""

HIGHEST = 1_000
"""Numbers in a distribution from which on companies are counted together."""

WEEKS = 53
"""Weeks over which it is told how use grew: a year, and the week at hand."""

COHORTS = 20
"""Values of a field that are told each on its own, those of the most companies."""


@dataclass(frozen=True)
class Adoption:
    """How many companies use an event: ever, and in the last 30 days."""

    event_key: str


@dataclass(frozen=True)
class Distribution:
    """How many companies had how many events, or distinct users, in a window up to now.

    With a `flag`, of those companies where it is not N/A.
    """

    event_key: str | None
    where: Filters
    window: timedelta
    users: bool
    flag: str | None = None


@dataclass(frozen=True)
class Uptake:
    """How the number of companies that ever used an event grew, week by week for a year."""

    event_key: str


@dataclass(frozen=True)
class Cohorts:
    """Companies by what a field says: how many, how many had an event in 30 days, how often."""

    field: str
    event_key: str


Question = Adoption | Uptake | Distribution | Cohorts


@dataclass(frozen=True)
class Threshold:
    """A phrase of a flag, the status that it raises, and the number at which that changes.

    It holds below that number if it wants few, from it on otherwise.
    """

    status: str
    phrase: str
    number: int
    wants_few: bool

    def holds(self, number: int) -> bool:
        """Whether the phrase holds with such a count."""
        return (number < self.number) == self.wants_few

    @property
    def one_away(self) -> int | None:
        """The count at which the phrase does not hold and one less, or one more, makes it hold."""
        found = self.number if self.wants_few else self.number - 1
        return found if self.number > 0 else None


@dataclass(frozen=True)
class Answer:
    """What is known in answer to a question as of an instant; None if nothing yet.

    `is_stale` tells that it is worth to be worked out again. The answer is, of an `Adoption`,
    `companies`, `ever` and `in_a_month`; of an `Uptake` a list of `week`, `companies` and `used`,
    oldest first; of a `Distribution` a list of pairs (number, companies),
    of which the last number may stand for `HIGHEST` or more; of `Cohorts` a list of `value`,
    `others`, `companies`, `active` and `events`.
    """

    answer: Any
    as_of: datetime | None
    is_stale: bool


def cached_answer(organization_id: int, question: Question, now: datetime) -> Answer:
    """What is known in answer to a question."""
    return cached_answers(organization_id, [question], now)[0]


def cached_answers(
    organization_id: int, questions: Sequence[Question], now: datetime
) -> list[Answer]:
    """What is known in answer to each of several questions."""
    written = [write(question) for question in questions]
    found = answers.find_all(organization_id, written)
    return [_looked(found.get(text), now) for text in written]


def _looked(known: StoredAnswer | None, now: datetime) -> Answer:
    if known is None:
        return Answer(None, None, is_stale=True)
    return Answer(known.answer, known.as_of, _is_stale(known, now))


def work_out(organization_id: int, question: str, now: datetime) -> None:
    """Work out the answer to a question, unless it is fresh; `question` as `write` makes it.

    Raises:
        ValueError: it is no question.
    """
    asked = read(question)
    with transaction():
        known = answers.find(organization_id, question)
        if known is not None and not _is_stale(known, now):
            return
        started = time.monotonic()
        answer = _count(organization_id, asked, now)
        took = timedelta(seconds=time.monotonic() - started)
        answers.save(organization_id, question, StoredAnswer(answer, now, took))


def distributions(book: RuleBook, flag: str) -> list[tuple[Distribution, list[Threshold]]]:
    """What to ask for a flag that counts: each of its windows, with the thresholds in it.

    None for a flag that does not count, or is not in the book.
    """
    known = book.flags_by_name.get(flag)
    asked: dict[str, tuple[Distribution, list[Threshold]]] = {}
    for level, phrase in known.conditions if known else ():
        counting = _counting(phrase)
        if known is None or counting is None:
            continue
        selector = known.selector
        question = Distribution(
            selector.event_key, selector.where, counting.window, counting.users, flag
        )
        threshold = Threshold(
            book.status_name(level), str(phrase), counting.depth, counting.wants_few
        )
        asked.setdefault(write(question), (question, []))[1].append(threshold)
    return list(asked.values())


@dataclass(frozen=True)
class _Counting:
    """What a phrase counts, and how it compares that; see `Threshold`."""

    window: timedelta
    depth: int
    wants_few: bool
    users: bool = False


def _counting(phrase: Condition) -> _Counting | None:
    """What a phrase counts; None if it is no such phrase."""
    match phrase:
        case Count():
            return _Counting(phrase.window, phrase.depth, phrase.comparison.is_upper_bound)
        case Absence():
            return _Counting(phrase.window, 1, wants_few=True)
        case Distinct() if phrase.of == USER:
            return _Counting(
                phrase.window, phrase.depth, phrase.comparison.is_upper_bound, users=True
            )
    return None


def write(question: Question) -> str:
    """A question as text, the same for the same question."""
    said: dict[str, Any] = {"asks": type(question).__name__, **vars(question)}
    if isinstance(question, Distribution):
        said["window"] = round(question.window.total_seconds())
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()


def read(text: str) -> Question:
    """The question that `write` wrote.

    Raises:
        ValueError: it is none.
    """
    try:
        said = orjson.loads(text)
        match said.pop("asks"):
            case "Adoption":
                return Adoption(**said)
            case "Uptake":
                return Uptake(**said)
            case "Cohorts":
                return Cohorts(**said)
            case "Distribution":
                question = Distribution(**said)
                return replace(question, window=timedelta(seconds=said["window"]))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no question: {text}") from error
    raise ValueError(f"no question: {text}")


def _is_stale(known: StoredAnswer, now: datetime) -> bool:
    return now - known.as_of >= max(FRESH, TIMES_ITS_COST * known.took)


def _count(organization_id: int, question: Question, now: datetime) -> Any:
    match question:
        case Adoption():
            return aggregates.adoption(organization_id, question.event_key, now)
        case Uptake():
            return aggregates.uptake(organization_id, question.event_key, now, weeks=WEEKS)
        case Distribution():
            counted = Counted(
                question.event_key,
                question.where,
                now - question.window,
                now,
                question.users,
                question.flag,
            )
            return aggregates.distribution(organization_id, counted, cap=HIGHEST)
        case Cohorts():
            return aggregates.cohorts(
                organization_id, question.field, question.event_key, now, limit=COHORTS
            )
