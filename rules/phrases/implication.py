"""Whether one phrase implies another, as far as their wording shows.

Both are assumed to count the same events. A negative answer only means "not for certain".
"""

from dataclasses import replace

from rules.phrases.amounts import Amount, Change
from rules.phrases.condition import Bound, Condition
from rules.phrases.counting import Absence, Comparison, Count
from rules.phrases.distinct import Distinct, Share
from rules.phrases.fields import FieldCompared, FieldIs, FieldMissing, FieldWithin
from rules.phrases.logic import AllOf, AnyOf, Not

_OPPOSITE_COMPARISONS = {
    Comparison.LESS_THAN: Comparison.AT_LEAST,
    Comparison.AT_LEAST: Comparison.LESS_THAN,
    Comparison.AT_MOST: Comparison.MORE_THAN,
    Comparison.MORE_THAN: Comparison.AT_MOST,
}
_OPPOSITE_BOUNDS = {
    Bound.BELOW: Bound.AT_LEAST,
    Bound.AT_LEAST: Bound.BELOW,
    Bound.AT_MOST: Bound.ABOVE,
    Bound.ABOVE: Bound.AT_MOST,
}


def implies(condition: Condition, other: Condition) -> bool:
    """Return whether `other` certainly holds whenever `condition` does."""
    if condition == other:
        return True
    match condition, other:
        case _, AllOf(operands=parts):
            return all(implies(condition, part) for part in parts)
        case AnyOf(operands=parts), _:
            return all(implies(part, other) for part in parts)
        case _, AnyOf(operands=parts):
            return any(implies(condition, part) for part in parts)
        case AllOf(operands=parts), _:
            return any(implies(part, other) for part in parts)
        case Not(negated=negated), Not(negated=other_negated):
            return implies(other_negated, negated)
        case Change() | FieldWithin(), _:
            return _compare_numbers(condition, other)
        case Amount() | Share() | FieldCompared(), _:
            return _bound_implies(condition, other)
    return _count_implies(_as_count(condition), _as_count(other))


def opposite(condition: Condition) -> Condition:
    """Return a phrase that holds when this one does not, except where it cannot be evaluated."""
    match condition:
        case Count() | Distinct():
            return replace(condition, comparison=_OPPOSITE_COMPARISONS[condition.comparison])
        case Absence(window=window):
            return Count(Comparison.AT_LEAST, 1, window)
        case Amount() | Share() | FieldCompared():
            return replace(condition, bound=_OPPOSITE_BOUNDS[condition.bound])
        case FieldIs() | FieldMissing():
            return replace(condition, negated=not condition.negated)
        case Not(negated=negated):
            return negated
        case AllOf(operands=parts):
            return AnyOf(tuple(opposite(part) for part in parts))
        case AnyOf(operands=parts):
            return AllOf(tuple(opposite(part) for part in parts))
    return Not(condition)


def _as_count(condition: Condition) -> Condition:
    if isinstance(condition, Absence):
        return Count(Comparison.LESS_THAN, 1, condition.window)
    return condition


def _count_implies(condition: Condition, other: Condition) -> bool:
    if isinstance(condition, Count) and isinstance(other, Count):
        pass
    elif not (
        isinstance(condition, Distinct) and isinstance(other, Distinct) and condition.of == other.of
    ):
        return False
    if condition.comparison.is_upper_bound != other.comparison.is_upper_bound:
        return False
    if condition.comparison.is_upper_bound:
        return condition.depth <= other.depth and condition.window >= other.window
    return condition.depth >= other.depth and condition.window <= other.window


def _bound_implies(condition: Amount | Share | FieldCompared, other: Condition) -> bool:
    """Compare bounds of the same amount: whether the first is at least as strict as the second."""
    match condition, other:
        case Amount(), Amount(bound=bound, limit=limit):
            same, own = replace(condition, bound=bound, limit=limit) == other, condition.limit
        case FieldCompared(), FieldCompared(bound=bound, limit=limit):
            same, own = replace(condition, bound=bound, limit=limit) == other, condition.limit
        case Share(), Share(bound=bound, percent=limit):
            same, own = replace(condition, bound=bound, percent=limit) == other, condition.percent
        case _:
            return False
    if not same or condition.bound.is_upper_bound != bound.is_upper_bound:
        return False
    if own == limit:
        return bound in (Bound.AT_MOST, Bound.AT_LEAST) or condition.bound == bound
    return (own < limit) == bound.is_upper_bound


def _compare_numbers(condition: Condition, other: Condition) -> bool:
    match condition, other:
        case Change(), Change():
            return (
                replace(condition, percent=other.percent) == other
                and condition.percent >= other.percent
            )
        case FieldWithin(), FieldWithin():
            return condition.field == other.field and condition.window <= other.window
    return False
