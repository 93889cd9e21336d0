"""Why a flag changed, in three to six words: what raised it, or what ended it.

A flag that got better is explained by the phrase that no longer holds, or by that of `recover`.
"""

from rules.book import RuleBook
from rules.judging.review import ended_phrase
from rules.judging.state import FlagChange, Transition
from rules.wording.reasons import describe, short_reason


def change_reason(book: RuleBook, transition: Transition, change: FlagChange) -> str | None:
    """Return why a flag changed in a transition.

    None if it was not its own level that changed, or if none of its phrases explains the change.
    """
    flag = book.flags_by_name.get(change.flag)
    if flag is None or change.verdict is None or change.flag in transition.overridden:
        return None
    if (change.after or 0) >= (change.before or 0):
        return short_reason(book, flag, change.verdict, transition.at)
    ended = ended_phrase(flag, change.verdict)
    return describe(book, flag, *ended, transition.at) if ended else None
