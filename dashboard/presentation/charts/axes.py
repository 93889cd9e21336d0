"""The axes of charts of any kind: round numbers, and the texts beside them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """A text beside an axis, and its coordinate in drawing units."""

    at: float
    text: str


EVEN_ENDS = (2, 4, 6, 8, 10, 12, 16, 20, 24, 30, 40, 50)
"""Numbers that an axis may end with, times a power of ten; even, for a mark in the middle."""


def round_up(number: float, ends: Sequence[int]) -> int:
    """Return the smallest of `ends` times 1, 10, 100, ... that is not below a number."""
    power = 1
    while power * ends[-1] < number:
        power *= 10
    return next(end * power for end in ends if end * power >= number)
