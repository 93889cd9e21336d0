"""What the team wants to know of every company: who owns it, what it is worth, when it renews."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rules.facts import Path, value_at
from rules.phrases.fields import as_instant, as_number, format_value

LONGEST_OWNER = 200
"""Characters."""

LARGEST_VALUE = Decimal(10) ** 15

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class TeamFields:
    """The paths below `company` of a company's owner, value and renewal; None if there is none."""

    owner: Path | None = None
    value: Path | None = None
    renewal: Path | None = None


NO_TEAM = TeamFields()


@dataclass(frozen=True)
class TeamValues:
    """The owner, value and renewal of one company; None where its field has nothing usable.

    The value has two decimals; the renewal is a day in UTC.
    """

    owner: str | None = None
    value: Decimal | None = None
    renews_on: date | None = None


def team_values(fields: TeamFields, company: Mapping[str, Any]) -> TeamValues:
    """Return what the fields of a company, core and custom ones, say for the team.

    A number may be a text, as in rules. A value that is not a number, or too large, and a renewal
    that is not a date in ISO 8601, are left out.
    """
    return TeamValues(
        _owner(_value_of(fields.owner, company)),
        _amount(_value_of(fields.value, company)),
        _day(_value_of(fields.renewal, company)),
    )


def _value_of(path: Path | None, company: Mapping[str, Any]) -> Any:
    return value_at(company, path) if path else None


def _owner(value: Any) -> str | None:
    if value is None or isinstance(value, list | Mapping):
        return None
    return format_value(value)[:LONGEST_OWNER].strip() or None


def _amount(value: Any) -> Decimal | None:
    number = as_number(value)
    if number is None or abs(number) >= LARGEST_VALUE:
        return None
    return number.quantize(_CENT, ROUND_HALF_UP)


def _day(value: Any) -> date | None:
    at = as_instant(value)
    return at.date() if at else None
