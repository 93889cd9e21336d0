"""Variations of a rule's threshold, to see whether the one in the file is the best."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from rules.durations import UNITS
from rules.flags import Flag
from rules.phrases.amounts import Amount, Change
from rules.phrases.condition import Condition
from rules.phrases.counting import Absence, Count
from rules.phrases.distinct import Distinct, Share
from rules.phrases.fields import FieldCompared

FACTORS = (Decimal("0.5"), Decimal("0.75"), Decimal(1), Decimal("1.5"), Decimal(2))
"""Factors by which a limit or a window is multiplied."""

MOST_COUNTED = 100
"""Whole amounts up to this one are varied in steps, like counts."""

PERCENT_STEPS = (-20, -10, 0, 10, 20)


def list_variations(flag: Flag) -> list[Flag]:
    """Return the flag with only the phrase of its mildest level, at thresholds around its own.

    Empty if that phrase has no threshold of its own, such as a combination of phrases.
    """
    level, mildest = flag.conditions[-1]
    if flag.other_flags:
        return []
    return [
        replace(flag, conditions=((level, phrase),)) for phrase in dict.fromkeys(_around(mildest))
    ]


def _around(phrase: Condition) -> Iterator[Condition]:
    if type(phrase) in _THRESHOLDS:
        name, nearby = _THRESHOLDS[type(phrase)]
        for value in nearby(getattr(phrase, name)):
            varied = replace(phrase, **{name: value})  # type: ignore[type-var]
            if not isinstance(varied, Count | Distinct) or varied.depth > 0:
                yield varied


def _numbers_around(number: int) -> Iterator[int]:
    step = max(1, round(number / 5))
    for nearby in range(number - 2 * step, number + 2 * step + 1, step):
        if nearby >= 0:
            yield nearby


def _durations_around(duration: timedelta) -> Iterator[timedelta]:
    """Yield durations in whole days, or in smaller units for durations of a few days or less."""
    units = [unit for name, unit in UNITS.items() if name != "week" and duration >= 4 * unit]
    unit = next((unit for unit in units if duration % unit == timedelta(0)), UNITS["second"])
    for factor in FACTORS:
        yield max(1, round(duration / unit * float(factor))) * unit


def _amounts_around(amount: Decimal) -> Iterator[Decimal]:
    if amount == amount.to_integral_value() and 0 < amount <= MOST_COUNTED:
        yield from (Decimal(number) for number in _numbers_around(int(amount)))
    else:
        yield from (amount * factor for factor in FACTORS)


def _percents_around(percent: Decimal) -> Iterator[Decimal]:
    for step in PERCENT_STEPS:
        if percent + step > 0 and (percent + step <= 100 or percent > 100):
            yield percent + step


_THRESHOLDS: dict[type[Condition], tuple[str, Callable[[Any], Iterator[Any]]]] = {
    Count: ("times", _numbers_around),
    Distinct: ("number", _numbers_around),
    Absence: ("window", _durations_around),
    Amount: ("limit", _amounts_around),
    FieldCompared: ("limit", _amounts_around),
    Change: ("percent", _percents_around),
    Share: ("percent", _percents_around),
}
"""The attribute that is a phrase's threshold, and how to vary it, by kind of phrase."""
