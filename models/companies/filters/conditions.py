"""Conditions on one subject: equal, unlike, containing, above, below, on a range of days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from models.companies.filters.subjects import Subject, subject
from models.folding import folded, folded_parameters


class Operator(StrEnum):
    """How a value is compared with the operands, any of which may match; with `NOT`, none."""

    IS = "is"
    NOT = "not"
    CONTAINS = "contains"
    ABOVE = "above"
    BELOW = "below"
    AT_LEAST = "at least"
    AT_MOST = "at most"
    BETWEEN = "between"


_COMPARISONS = {
    Operator.ABOVE: ">",
    Operator.BELOW: "<",
    Operator.AT_LEAST: ">=",
    Operator.AT_MOST: "<=",
}


@dataclass(frozen=True)
class Days:
    """The days from `since` on, and before `until`, in UTC."""

    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Operand:
    """What a value is compared with, as it was written; with the number or the days that it means.

    An empty text means that there is no value.
    """

    text: str
    number: Decimal | None = None
    days: Days | None = None


@dataclass(frozen=True)
class Condition:
    """A condition on a column, or on a field, whose name then begins with `field.`.

    A value of another kind than the operator compares, such as a text that is no number, does not
    match; neither does an operand of another kind.
    """

    subject: str
    operator: Operator
    operands: tuple[Operand, ...]

    def sql(self, prefix: str) -> tuple[str, dict[str, Any]]:
        """Return SQL over `companies`, and its parameters, which begin with the prefix."""
        about = subject(self.subject, prefix)
        if about is None:
            return "false", {}
        terms, parameters = [], dict(about.parameters)
        for term, values in self._terms(about):
            terms.append(term)
            parameters |= values
        matches = f"({' or '.join(terms) or 'false'})"
        return f"not {matches}" if self.operator is Operator.NOT else matches, parameters

    def _terms(self, about: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield SQL with its parameters for the alternatives."""
        if self.operator in (Operator.IS, Operator.NOT):
            yield from _equal(about, self.operands)
        elif self.operator is Operator.CONTAINS:
            for number, operand in enumerate(self.operands):
                part = f"{about.prefix}_part_{number}"
                sought = folded(f"%({part})s::text")
                yield f"coalesce(strpos({about.folded}, {sought}) > 0, false)", {part: operand.text}
        elif self.operator is Operator.BETWEEN:
            for number, operand in enumerate(self.operands):
                if operand.days:
                    days = subject(self.subject, f"{about.prefix}_{number}")
                    if days:
                        term, parameters = days.between(operand.days.since, operand.days.until)
                        yield term, parameters | days.parameters
        else:
            numbers = [operand.number for operand in self.operands if operand.number is not None]
            if numbers:
                parameter = f"{about.prefix}_number"
                ascending = self.operator in (Operator.ABOVE, Operator.AT_LEAST)
                limit = min(numbers) if ascending else max(numbers)
                sign = _COMPARISONS[self.operator]
                yield f"coalesce({about.number} {sign} %({parameter})s, false)", {parameter: limit}


def _equal(about: Subject, operands: Sequence[Operand]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield SQL for values that are one of the operands: as numbers, days, or texts."""
    texts = [operand.text for operand in operands if operand.text]
    numbers = [operand.number for operand in operands if operand.number is not None]
    if len(texts) < len(operands):
        yield about.is_empty, {}
    if about.kind == "instant":
        for number, operand in enumerate(operands):
            if operand.days:
                day = Subject(about.raw, about.kind, about.column, {}, f"{about.prefix}_{number}")
                yield day.between(operand.days.since, operand.days.until)
    elif texts:
        parameter = f"{about.prefix}_texts"
        yield (
            f"coalesce({about.folded} = any({folded_parameters(parameter)}), false)",
            {parameter: texts},
        )
    if numbers:
        parameter = f"{about.prefix}_numbers"
        yield (
            f"coalesce({about.number} = any(%({parameter})s::numeric[]), false)",
            {parameter: numbers},
        )
