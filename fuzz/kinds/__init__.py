"""The kinds of hostile inputs: each builds the bytes of a request from a source of chance."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from fuzz.exchange import LONGEST_WAIT
from fuzz.target import Target


@dataclass(frozen=True)
class Kind:
    """A kind of inputs, its share of all, and how one is made.

    They go to `web` or to `dashboard`. Those that may be no complete request are given `patience`
    seconds before they are ended.
    """

    name: str
    share: float
    make: Callable[[Target, Random], bytes]
    to_web: bool
    patience: float = LONGEST_WAIT
