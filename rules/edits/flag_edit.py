"""What a flag of a rule file shall be, and how its values are written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from rules.book import RuleBook
from rules.edits.positions import scalar, scalar_of_value
from rules.file.flag import ANY_EVENT, KEYS
from rules.flags import Flag
from rules.language.mistakes import PhraseError
from rules.language.parser import parse_condition, parse_duration, parse_new_company
from rules.language.tree import Vocabulary
from rules.phrases.condition import Condition
from rules.phrases.fields import as_number, format_value

T = TypeVar("T")


class Kept(Enum):
    """What an edit leaves as it is written."""

    KEPT = "kept"


KEPT = Kept.KEPT


@dataclass(frozen=True)
class FlagEdit:
    """What a flag shall be. None leaves a key out, and `KEPT` leaves it as it is written.

    `phrases` are by level; those that are missing are kept. `lasting` is a duration and
    `new_company` a phrase, such as `wait 7 days`. `applies_to` has values by field, such as
    `company.plan`.
    """

    name: str
    event: str | None
    phrases: Mapping[int, str | None]
    recover: str | Kept | None = None
    lasting: str | None = None
    new_company: str | None = None
    applies_to: Mapping[str, Sequence[str]] = field(default_factory=dict)
    weight: str | None = None
    note: str | None = None


def scalars(edit: FlagEdit) -> dict[str, str | None]:
    """Return the values of a flag as YAML by key, in the order in which they are written.

    Those of `when` and `applies_to` are no scalars, and None here.
    """
    texts = {
        "flag": edit.name,
        "event": edit.event,
        "recover": edit.recover if isinstance(edit.recover, str) else None,
        "for": edit.lasting,
        "new_company": edit.new_company,
        "note": edit.note,
    }
    values = {key: scalar(text) if text else None for key, text in texts.items()}
    values |= {"weight": edit.weight or None, "when": None, "applies_to": None}
    return {key: values[key] for key in KEYS if key in values}


def says(flag: Flag, key: str, edit: FlagEdit, book: RuleBook) -> bool:
    """Whether a flag has the value of an edit already, however it is written."""
    match key:
        case "flag":
            return flag.name == edit.name
        case "event":
            return (flag.selector.event_key or ANY_EVENT) == edit.event
        case "recover":
            return isinstance(edit.recover, str) and means(edit.recover, flag.recover, book)
        case "for":
            return flag.lasting == _parsed(parse_duration, edit.lasting)
        case "new_company":
            return flag.wait == _parsed(parse_new_company, edit.new_company)
        case "weight":
            return flag.weight == as_number(edit.weight)
        case "note":
            return flag.note == edit.note
    return False


def means(phrase: str, condition: Condition | None, book: RuleBook) -> bool:
    """Whether a phrase means a condition, apart from what `ignore_if` adds to it."""
    vocabulary = Vocabulary(book.statuses)
    parsed = _parsed(lambda text: parse_condition(text, vocabulary), phrase)
    return parsed is not None and str(parsed) == str(condition)


def _parsed(parse: Callable[[str], T], text: str | None) -> T | None:
    try:
        return parse(text) if text else None
    except PhraseError:
        return None


def applies_to_of(flag: Flag) -> dict[str, tuple[str, ...]]:
    """Return the values of `applies_to` as texts, by field such as `company.plan`."""
    return {
        f"company.{'.'.join(path)}": tuple(format_value(value) for value in values)
        for path, values in flag.applies_to
    }


def in_braces(applies_to: Mapping[str, Sequence[str]]) -> str:
    """Return the values of `applies_to` as YAML on one line."""
    fields = (f"{scalar(name)}: {values_of(values)}" for name, values in applies_to.items())
    return f"{{{', '.join(fields)}}}"


def values_of(values: Sequence[str]) -> str:
    """Return the values of one field as YAML on one line."""
    texts = [scalar_of_value(value) for value in values]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
