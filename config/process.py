"""How processes log: one readable line per event of interest, to standard error."""

import gc
import logging
import sys


def configure_logging(level: str) -> None:
    """Send this process's log to standard error, our own lines at `level`, libraries' warnings."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING, force=True)
    logging.getLogger("brazebee").setLevel(level)
    # Dramatiq's warnings print whole messages, and so events with personal data.
    logging.getLogger("dramatiq").setLevel(logging.ERROR)


ALLOCATIONS = 50_000
"""Between two looks, instead of 700: a bundle of events is some 10,000 objects, of which none is
garbage of this kind while it is at work."""


def collect_seldom() -> None:
    """For processes that take in much at once: looking cost a seventh of storing events."""
    gc.collect()
    gc.freeze()  # what was imported stays
    gc.set_threshold(ALLOCATIONS, 20, 50)
