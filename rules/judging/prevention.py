"""Which events would prevent a flag's change that time alone is about to cause."""

from rules.book import RuleBook
from rules.flags import Flag, Verdict
from rules.judging.state import Cause, FlagChange
from rules.phrases.condition import Condition, Finding
from rules.phrases.fields import format_value


def describe_events(book: RuleBook, flag: Flag) -> str:
    """Return the events that a flag counts, by display name, with its filters."""
    key = flag.selector.event_key
    setting = book.events.get(key) if key is not None else None
    name = setting.name if setting else "any event"
    where = (
        f"data.{'.'.join(path)}: {' or '.join(format_value(value) for value in values)}"
        for path, values in flag.selector.where
    )
    return ", ".join([name, *where])


def prevented_by(book: RuleBook, change: FlagChange) -> str | None:
    """Return the events that would prevent a change, such as `2 more Report created`.

    Return None if no event can prevent it, or if time is not its cause.
    """
    flag = book.flags_by_name.get(change.flag)
    if flag is None or change.verdict is None or change.cause is not Cause.TIME:
        return None
    decided = _decided_by(flag, change, change.verdict)
    return (
        decided[0].preventing_events(decided[1], describe_events(book, flag)) if decided else None
    )


def _decided_by(
    flag: Flag, change: FlagChange, verdict: Verdict
) -> tuple[Condition, Finding] | None:
    """Return the phrase that changed, that of the worse level, and its finding at the change."""
    if verdict.recovery is not None and flag.recover is not None:
        return flag.recover, verdict.recovery
    worse = max(change.before or 0, change.after or 0)
    phrases = zip(flag.conditions, verdict.findings, strict=False)
    by_level = {level: (phrase, finding) for (level, phrase), finding in phrases}
    return by_level.get(worse)
