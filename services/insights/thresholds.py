"""The thresholds of flags that count, and the distributions of companies around them."""

from dataclasses import dataclass
from datetime import timedelta

from rules.book import RuleBook
from rules.facts import USER
from rules.phrases.condition import Condition
from rules.phrases.counting import Absence, Count
from rules.phrases.distinct import Distinct
from services.insights.questions import Distribution, write_question


@dataclass(frozen=True)
class Threshold:
    """A phrase of a flag, the status it raises, and the number at which it starts or stops holding.

    With `is_upper_bound`, the phrase holds below that number, otherwise from it on.
    """

    status: str
    phrase: str
    number: int
    is_upper_bound: bool

    def holds(self, number: int) -> bool:
        """Whether the phrase holds for this count."""
        return (number < self.number) == self.is_upper_bound

    @property
    def one_away(self) -> int | None:
        """The count at which one event fewer, or one more, makes the phrase hold."""
        number = self.number if self.is_upper_bound else self.number - 1
        return number if self.number > 0 else None


def distributions(book: RuleBook, flag: str) -> list[tuple[Distribution, list[Threshold]]]:
    """Return a question for each window that a flag counts in, with the thresholds in it.

    Empty for a flag that does not count, or that is not in the book.
    """
    rule = book.flags_by_name.get(flag)
    questions: dict[str, tuple[Distribution, list[Threshold]]] = {}
    for level, phrase in rule.conditions if rule else ():
        counting = _counting(phrase)
        if rule is None or counting is None:
            continue
        selector = rule.selector
        question = Distribution(
            selector.event_key, selector.where, counting.window, counting.users, flag
        )
        threshold = Threshold(
            book.status_name(level), str(phrase), counting.depth, counting.is_upper_bound
        )
        questions.setdefault(write_question(question), (question, []))[1].append(threshold)
    return list(questions.values())


@dataclass(frozen=True)
class _Counting:
    """What a phrase counts and how it compares the count; see `Threshold`."""

    window: timedelta
    depth: int
    is_upper_bound: bool
    users: bool = False


def _counting(phrase: Condition) -> _Counting | None:
    """Return what a phrase counts; None if it does not count."""
    match phrase:
        case Count():
            return _Counting(phrase.window, phrase.depth, phrase.comparison.is_upper_bound)
        case Absence():
            return _Counting(phrase.window, 1, is_upper_bound=True)
        case Distinct() if phrase.of == USER:
            return _Counting(
                phrase.window, phrase.depth, phrase.comparison.is_upper_bound, users=True
            )
    return None
