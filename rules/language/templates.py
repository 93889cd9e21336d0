"""Phrases as forms: each kind of phrase is a text with parts to fill in.

Combinations of phrases, and phrases about other flags, have no form.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from string import Formatter

from rules.durations import UNITS, format_duration
from rules.facts import USER
from rules.language.mistakes import PhraseError
from rules.phrases.amounts import Amount, Change, Measure
from rules.phrases.condition import Bound, Condition, format_number
from rules.phrases.counting import Absence, Comparison, Count, Never
from rules.phrases.distinct import Distinct, Share
from rules.phrases.fields import FieldCompared, FieldIs, FieldMissing, FieldWithin, quote

CHOICES: Mapping[str, tuple[str, ...]] = {
    "comparison": tuple(str(comparison).lower() for comparison in Comparison),
    "bound": tuple(str(bound) for bound in Bound),
    "direction": ("down", "up"),
    "measure": tuple(str(measure).lower() for measure in Measure),
    "unit": tuple(f"{unit}s" for unit in reversed(UNITS)),
    "is": ("is", "is not"),
}
"""The parts that are chosen, with their values."""

_WORDS = {
    "number": "a whole number such as 5",
    "length": "a whole number such as 14",
    "limit": "a number such as 50",
    "percent": "a number such as 40",
    "value": "a value",
    "field": "a field such as `company.seats`",
    "data": "a field of the event's data such as `data.amount`",
}
_FORMS = {
    "number": re.compile(r"[0-9]+"),
    "length": re.compile(r"[0-9]+"),
    "limit": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "percent": re.compile(r"[0-9]+(\.[0-9]+)?"),
    "value": re.compile(r".+"),
    "field": re.compile(r"""company(\.[^\s.()",%<>=]+)+""", re.IGNORECASE),
    "data": re.compile(r"""data(\.[^\s.()",%<>=]+)+""", re.IGNORECASE),
}
_ROOTS = {"field": "company.", "data": "data."}
_COUNTED = re.compile(
    r"(?<![\w.])([0-9]+)(\s+)(distinct user|time|second|minute|hour|day|week)s?\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Template:
    """A kind of phrase: its title, and its text with `{parts}` to fill in."""

    title: str
    text: str
    counts_events: bool = True

    @property
    def parts(self) -> Iterator[tuple[str, str | None]]:
        """The text in pieces: each piece of plain text, and the part after it, if there is one."""
        for text, part, _, _ in Formatter().parse(self.text):
            yield text, part

    def fill_in(self, values: Mapping[str, str]) -> str:
        """Return the phrase.

        Raises:
            PhraseError: a part is missing or invalid. What the phrase means is not checked.
        """
        parts = {part: _read(part, values) for _, part in self.parts if part}
        phrase = self.text.format(**parts)
        return phrase if "value" in parts else agree(phrase)


def agree(text: str) -> str:
    """Return a text in which the words after numbers are singular or plural as they should be."""
    return _COUNTED.sub(lambda m: f"{m[1]}{m[2]}{m[3]}{'' if int(m[1]) == 1 else 's'}", text)


TEMPLATES: Mapping[str, Template] = {
    "count": Template("How often it happens", "{comparison} {number} times in {length} {unit}"),
    "absence": Template("No activity", "no activity for {length} {unit}"),
    "users": Template(
        "How many users do it", "{comparison} {number} distinct users in {length} {unit}"
    ),
    "share": Template(
        "Share of users, of a number such as seats",
        "distinct users in {length} {unit} {bound} {percent}% of {field}",
    ),
    "change": Template("Drop or rise", "{direction} {percent}% in {length} {unit}"),
    "values": Template(
        "How many different values", "{comparison} {number} distinct {data} in {length} {unit}"
    ),
    "amount": Template(
        "Sum or average of a number", "{measure} of {data} {bound} {limit} in {length} {unit}"
    ),
    "never": Template("Not done by a deadline", "never within {length} {unit} of {field}"),
    "compared": Template(
        "A company's field: a number", "{field} {bound} {limit}", counts_events=False
    ),
    "within": Template(
        "A company's field: a date that comes near",
        "{field} within {length} {unit}",
        counts_events=False,
    ),
    "is": Template("A company's field: a value", "{field} {is} {value}", counts_events=False),
    "missing": Template("A company's field: missing", "{field} {is} missing", counts_events=False),
}
"""The kinds of phrases that have a form, in the order in which they are offered."""

DEFAULTS: Mapping[str, str] = {
    "comparison": "less than",
    "bound": str(Bound.BELOW),
    "direction": "down",
    "measure": "sum",
    "unit": "days",
    "is": "is",
}


def take_apart(condition: Condition) -> tuple[str, Mapping[str, str]] | None:
    """Return the kind of a phrase and its parts, as they are filled in; None if it has no form."""
    match condition:
        case Count():
            parts = {"comparison": condition.comparison, "number": condition.times}
            return "count", _texts(parts, condition.window)
        case Absence():
            return "absence", _texts({}, condition.window)
        case Distinct():
            parts = {"comparison": condition.comparison, "number": condition.number}
            if condition.of == USER:
                return "users", _texts(parts, condition.window)
            return "values", _texts({**parts, "data": ".".join(condition.of)}, condition.window)
        case Share():
            parts = {"bound": condition.bound, "percent": format_number(condition.percent)}
            return "share", _texts({**parts, "field": condition.field}, condition.window)
        case Change():
            direction = "up" if condition.upwards else "down"
            parts = {"direction": direction, "percent": format_number(condition.percent)}
            return "change", _texts(parts, condition.window)
        case Amount():
            parts = {"measure": condition.measure, "data": ".".join(condition.of)}
            parts |= {"bound": condition.bound, "limit": format_number(condition.limit)}
            return "amount", _texts(parts, condition.window)
        case Never():
            return "never", _texts({"field": condition.field}, condition.window)
    return _take_apart_field(condition)


def _take_apart_field(condition: Condition) -> tuple[str, Mapping[str, str]] | None:
    match condition:
        case FieldCompared():
            parts = {"bound": condition.bound, "limit": format_number(condition.limit)}
            return "compared", _texts({**parts, "field": condition.field})
        case FieldWithin():
            return "within", _texts({"field": condition.field}, condition.window)
        case FieldIs():
            parts = {"is": "is not" if condition.negated else "is", "value": condition.expected}
            return "is", _texts({**parts, "field": condition.field})
        case FieldMissing():
            parts = {"is": "is not" if condition.negated else "is"}
            return "missing", _texts({**parts, "field": condition.field})
    return None


def take_apart_duration(duration: timedelta) -> tuple[str, str]:
    """Return the number and the unit of a duration, in the largest unit up to a day."""
    number, unit = format_duration(duration).split()
    return number, unit.removesuffix("s") + "s"


def _texts(parts: Mapping[str, object], window: timedelta | None = None) -> dict[str, str]:
    texts = {name: str(value) for name, value in parts.items()}
    for name in ("comparison", "measure"):
        if name in texts:
            texts[name] = texts[name].lower()
    if "field" in texts:
        texts["field"] = f"company.{texts['field']}"
    if window is not None:
        texts["length"], texts["unit"] = take_apart_duration(window)
    return texts


def _read(part: str, values: Mapping[str, str]) -> str:
    """Return a part as phrases write it.

    Raises:
        PhraseError: it is missing or invalid.
    """
    value = values.get(part, "").strip()
    if part in CHOICES:
        if value not in CHOICES[part]:
            raise PhraseError(f"choose one of {', '.join(CHOICES[part])}")
        return value
    root = _ROOTS.get(part)
    if root and value and not value.casefold().startswith(root):
        value = root + value
    if not _FORMS[part].fullmatch(value):
        wrong = f"`{value}` is not {_WORDS[part]}" if value else f"{_WORDS[part]} is missing"
        raise PhraseError(wrong)
    return quote(value) if part == "value" else value
