"""Maps the columns of a table to the parts of an event."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.errors import CommandError
from formats.groups import COMPANY_NAMES, plain_name

LEFT_OUT = "-"
"""The target of a column that is not imported."""

REASON = "refused_reason"
"""The column of a file with refused rows that says why. It is left out when that is imported."""

_GUESSES: Mapping[str, Sequence[str]] = {
    "company.id": COMPANY_NAMES,
    "company.name": ("company_name", "account_name", "organization_name", "customer_name",
                     "group_name", "workspace_name", "tenant_name", "company", "account",
                     "organization", "customer"),
    "user.id": ("user_id", "userid", "distinct_id", "member_id", "person_id", "user", "uid"),
    "user.email": ("user_email", "email"),
    "user.name": ("user_name", "username", "full_name"),
    "event": ("event_key", "event", "event_name", "event_type", "action", "activity", "type"),
    "time": ("timestamp", "time", "occurred_at", "event_time", "created_at", "created", "date",
             "datetime", "ts", "at"),
    "id": ("event_id", "message_id", "uuid", "insert_id", "id"),
}  # fmt: skip
"""What columns are usually called, the likeliest name of each target first."""

_TARGET = re.compile(r"-|id|event|time|(company|user|data)\.[^.].*", re.DOTALL)

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,15})?")
_WORDS = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}
_TEXTS = ("id", "event", "time", "company.id", "company.name", "user.id", "user.name", "user.email")
"""Targets whose values stay texts."""


@dataclass(frozen=True)
class Columns:
    """The target of each column that is imported."""

    targets: Mapping[str, str]

    def split(self, names: Sequence[str]) -> "RowReader":
        """Return the reader of rows that have these columns, in this order."""
        return RowReader([self.targets.get(name, LEFT_OUT) for name in names])


class RowReader:
    """Turns rows of one table into the parts of events."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._steps = []
        for position, target in enumerate(targets):
            if target == LEFT_OUT:
                continue
            part, _, field = target.partition(".")
            self._steps.append((position, part, field, target in _TEXTS))

    def read(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return `company`, `user`, `data`, `event`, `time` and `id` of a row, as far as given."""
        parts: dict[str, Any] = {"company": {}, "user": {}, "data": {}}
        for position, part, field, is_text in self._steps:
            value = values[position]
            if value is None or value == "":
                continue
            if is_text:
                if field and type(value) is not str:
                    value = _as_text(value)
            elif type(value) is str:
                value = typed(value)
            if field:
                parts[part][field] = value
            else:
                parts[part] = value
        return parts


def typed(text: str) -> Any:
    """Return a text of a CSV file as the number, truth value or text that it is.

    A number with leading zeros or more than fifteen digits is a text, such as a postal code.
    """
    first = text[0]
    if first in "0123456789-":
        if _NUMBER.fullmatch(text):
            return float(text) if "." in text else int(text)
    elif first in "tfTF":
        return _WORDS.get(text, text)
    return text


def _as_text(value: Any) -> Any:
    if type(value) is int:
        return str(value)
    if type(value) is float and value.is_integer():
        return str(int(value))
    return value


def map_columns(names: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """Return the targets of columns: the chosen ones, and guesses by the names of the others.

    What is neither is kept in `data`.

    Raises:
        CommandError: a chosen column or target does not exist, or something required is missing.
    """
    _check_chosen(names, chosen)
    targets = {name: target for name, target in chosen.items() if target != LEFT_OUT}
    left = [name for name in names if name not in chosen and plain_name(name) != REASON]
    for name in [*left]:
        if re.fullmatch(r"(company|user|data)\.[^.].*", name) and name not in targets.values():
            targets[name] = name
            left.remove(name)
    for target, usual in _GUESSES.items():
        by_plain_name = {plain_name(name): name for name in reversed(left)}
        found = next((by_plain_name[each] for each in usual if each in by_plain_name), None)
        if found is not None and target not in targets.values():
            targets[found] = target
            left.remove(found)
    missing = [t for t in ("company.id", "event", "time") if t not in targets.values()]
    if missing:
        raise CommandError(
            f"No column is known to be {_listed(missing)}. Name it, such as"
            f' --map "{next(iter(left or names), "Column")}={missing[0]}". The columns are:'
            f" {_listed(names)}."
        )
    return Columns(targets | {name: f"data.{name}" for name in left})


def _check_chosen(names: Sequence[str], chosen: Mapping[str, str]) -> None:
    for column, target in chosen.items():
        if column not in names:
            raise CommandError(f"There is no column `{column}`; there are: {_listed(names)}.")
        if not _TARGET.fullmatch(target):
            raise CommandError(
                f"`{column}={target}`: a column becomes `id`, `event`, `time`, `company.id`,"
                " `company.name`, `company.FIELD`, `user.id`, `user.FIELD` or `data.FIELD`, or `-`"
                " to leave it out."
            )
    targets = [target for target in chosen.values() if target != LEFT_OUT]
    if twice := sorted({target for target in targets if targets.count(target) > 1}):
        raise CommandError(f"Two columns are mapped to {_listed(twice)}.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
