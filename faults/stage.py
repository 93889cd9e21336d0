"""What every fault works on: the product, the customer that suffers, and the one that must not."""

from collections.abc import Callable
from dataclasses import dataclass

from faults.customers import Customer
from faults.product import Product


@dataclass(frozen=True)
class Stage:
    """The product and its customers; `other` is the one that a fault of the others must not touch.

    `crowd` is without traffic and webhooks, for companies in great numbers.
    """

    product: Product
    victim: Customer
    other: Customer
    crowd: Customer


@dataclass(frozen=True)
class Fault:
    """A fault: `inflict` begins it, waits, and ends it, and may return a figure to show.

    It raises an AssertionError if what follows from it is wrong.

    While an `isolated` one lasts, the other customer's events are stored within a second and its
    changes by time are at most a second late, each for 99 of 100. `brief` ones are part of the
    short run.
    """

    name: str
    inflict: Callable[[Stage], str | None]
    isolated: bool = False
    brief: bool = False
