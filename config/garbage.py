"""How often Python looks for garbage that refers to itself."""

import gc

ALLOCATIONS = 50_000
"""Between two looks, instead of 700: a bundle of events is some 10,000 objects, of which none is
garbage of this kind while it is at work."""


def collect_seldom() -> None:
    """For processes that take in much at once: looking cost a seventh of storing events."""
    gc.collect()
    gc.freeze()  # what was imported stays
    gc.set_threshold(ALLOCATIONS, 20, 50)
