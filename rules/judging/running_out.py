"""Whether a better status is a recovery, or only means that nothing happened for long enough."""

from rules.book import RuleBook
from rules.judging.state import Cause, FlagChange, Transition


def merely_runs_out(book: RuleBook, transition: Transition) -> bool:
    """Whether a flag steps down in a transition without a recovery.

    It recovers where its `recover` phrase has come true, or a person's override ends. Otherwise a
    window has moved past what raised it, a date has passed, or it no longer applies.
    """
    return any(_steps_down(change) and not _recovers(book, change) for change in transition.changes)


def _steps_down(change: FlagChange) -> bool:
    return (change.after or 0) < (change.before or 0)


def _recovers(book: RuleBook, change: FlagChange) -> bool:
    if change.cause is Cause.OVERRIDE:
        return True
    flag, verdict = book.flags_by_name.get(change.flag), change.verdict
    return bool(flag and flag.recover and verdict and verdict.recovery and verdict.recovery.holds)
