"""Settings of the Python process: logging to standard error, and garbage collection."""

import gc
import logging
import sys


def configure_logging(level: str) -> None:
    """Log to standard error: our own lines from `level` on, those of libraries from WARNING on."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING, force=True)
    logging.getLogger("brazebee").setLevel(level)
    # Dramatiq's warnings print whole messages, and thus events with personal data.
    logging.getLogger("dramatiq").setLevel(logging.ERROR)


ALLOCATIONS = 50_000
"""Allocations between collections, instead of Python's 700: a bundle of events is some 10,000
objects, and none of them is cyclic garbage while the bundle is processed."""


def collect_garbage_rarely() -> None:
    """Collect rarely while ingesting events, where collecting cost a seventh of storing them."""
    gc.collect()
    gc.freeze()  # imported modules are never garbage
    gc.set_threshold(ALLOCATIONS, 20, 50)
