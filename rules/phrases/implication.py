"""Whether one phrase always holds when another does, as far as that can be told from their words.

Both are taken to count the same events. No is only "not surely".
"""

from dataclasses import replace

from rules.phrases.amounts import Amount, Change
from rules.phrases.condition import Bound, Condition
from rules.phrases.counting import Absence, Comparison, Count, Distinct, Share
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


def implies(one: Condition, other: Condition) -> bool:
    """Whether `other` surely holds wherever `one` does."""
    if one == other:
        return True
    match one, other:
        case _, AllOf(combined=parts):
            return all(implies(one, part) for part in parts)
        case AnyOf(combined=parts), _:
            return all(implies(part, other) for part in parts)
        case _, AnyOf(combined=parts):
            return any(implies(one, part) for part in parts)
        case AllOf(combined=parts), _:
            return any(implies(part, other) for part in parts)
        case Not(negated=negated), Not(negated=other_negated):
            return implies(other_negated, negated)
        case Change() | FieldWithin(), _:
            return _grows_with_its_number(one, other)
        case Amount() | Share() | FieldCompared(), _:
            return _bound_implies(one, other)
    return _count_implies(_as_count(one), _as_count(other))


def opposite(condition: Condition) -> Condition:
    """A phrase that holds wherever this one does not, but for what cannot be judged."""
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
        case AllOf(combined=parts):
            return AnyOf(tuple(opposite(part) for part in parts))
        case AnyOf(combined=parts):
            return AllOf(tuple(opposite(part) for part in parts))
    return Not(condition)


def _as_count(condition: Condition) -> Condition:
    if isinstance(condition, Absence):
        return Count(Comparison.LESS_THAN, 1, condition.window)
    return condition


def _count_implies(one: Condition, other: Condition) -> bool:
    if isinstance(one, Count) and isinstance(other, Count):
        pass
    elif not (isinstance(one, Distinct) and isinstance(other, Distinct) and one.of == other.of):
        return False
    if one.comparison.is_upper_bound != other.comparison.is_upper_bound:
        return False
    if one.comparison.is_upper_bound:
        return one.depth <= other.depth and one.window >= other.window
    return one.depth >= other.depth and one.window <= other.window


def _bound_implies(one: Amount | Share | FieldCompared, other: Condition) -> bool:
    """Bounds of the same amount: whether the first admits nothing that the second does not."""
    match one, other:
        case Amount(), Amount(bound=bound, limit=limit):
            same, own = replace(one, bound=bound, limit=limit) == other, one.limit
        case FieldCompared(), FieldCompared(bound=bound, limit=limit):
            same, own = replace(one, bound=bound, limit=limit) == other, one.limit
        case Share(), Share(bound=bound, percent=limit):
            same, own = replace(one, bound=bound, percent=limit) == other, one.percent
        case _:
            return False
    if not same or one.bound.is_upper_bound != bound.is_upper_bound:
        return False
    if own == limit:
        return bound in (Bound.AT_MOST, Bound.AT_LEAST) or one.bound == bound
    return (own < limit) == bound.is_upper_bound


def _grows_with_its_number(one: Condition, other: Condition) -> bool:
    match one, other:
        case Change(), Change():
            return replace(one, percent=other.percent) == other and one.percent >= other.percent
        case FieldWithin(), FieldWithin():
            return one.field == other.field and one.window <= other.window
    return False
