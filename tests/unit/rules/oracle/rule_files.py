"""Rule files of random books."""

import json
from dataclasses import replace
from typing import Any

from rules.book import RuleBook
from rules.durations import format_duration
from rules.file.filters import Filters
from rules.file.rule_file import read_rules
from rules.flags import Flag
from rules.phrases.amounts import Change
from rules.phrases.condition import Condition, Level
from rules.phrases.logic import AllOf, AnyOf, FlagIs, Not
from rules.statuses import NOT_APPLICABLE

EVENT_KEYS = ("a", "b")


def written(book: RuleBook) -> tuple[str, RuleBook]:
    """Return a book as the text of a rule file, and as it is read from it."""
    text = json.dumps(  # every JSON text is a YAML text
        {
            "version": 1,
            "statuses": list(book.statuses),
            "events": dict.fromkeys(EVENT_KEYS),
            "flags": [_entry(book, flag) for flag in book.flags],
        }
    )
    return text, read_rules(text)


def _entry(book: RuleBook, flag: Flag) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "flag": flag.name,
        "event": flag.selector.event_key or "any",
        "when": {
            book.statuses[level]: str(_named(book, phrase)) for level, phrase in flag.conditions
        },
    }
    if flag.recover is not None:
        entry["recover"] = str(_named(book, flag.recover))
    if flag.lasting:
        entry["for"] = format_duration(flag.lasting)
    if flag.wait:
        entry["new_company"] = f"wait {format_duration(flag.wait)}"
    if flag.selector.where:
        entry["where"] = _filters("data", flag.selector.where)
    if flag.applies_to:
        entry["applies_to"] = _filters("company", flag.applies_to)
    if flag.if_missing is not None:
        entry["if_missing"] = _status(book, flag.if_missing)
    if ignored := _ignored(flag):
        entry["ignore_if"] = f"previous under {ignored}"
    return entry


def _filters(of: str, filters: Filters) -> dict[str, list[Any]]:
    return {".".join((of, *path)): list(values) for path, values in filters}


def _named(book: RuleBook, phrase: Condition) -> Condition:
    """Return a phrase whose references to flags name statuses instead of levels."""
    match phrase:
        case FlagIs():
            return replace(phrase, status=_status(book, phrase.level))
        case Not():
            return Not(_named(book, phrase.negated))
        case AllOf() | AnyOf():
            return type(phrase)(tuple(_named(book, operand) for operand in phrase.operands))
    return phrase


def _status(book: RuleBook, level: Level) -> str:
    return NOT_APPLICABLE if level is None else book.statuses[level]


def _ignored(flag: Flag) -> Any:
    """Return what `ignore_if` is for all phrases of a flag."""
    phrases = [phrase for _, phrase in flag.conditions]
    parts = [part for phrase in [*phrases, flag.recover] if phrase for part in phrase]
    return next((part.ignore_previous_under for part in parts if isinstance(part, Change)), None)
