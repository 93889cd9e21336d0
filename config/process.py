"""Settings of the Python process: logging to standard error, and garbage collection."""

import gc
import logging
import resource
import sys
from types import TracebackType

from config.safe_logs import SafeFormatter


def configure_logging(level: str) -> None:
    """Log to standard error: our own lines from `level` on, those of libraries from WARNING on.

    No line contains what an event contains, nor does that of an error that ends the process.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SafeFormatter("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("brazebee").setLevel(level)
    # Its warnings are about what the clock repeats.
    logging.getLogger("dramatiq").setLevel(logging.ERROR)
    sys.excepthook = _log_uncaught


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger("brazebee").critical(
            "the process ends: unexpected error", exc_info=(kind, error, trace)
        )


ALLOCATIONS = 50_000
"""Allocations between collections, instead of Python's 700: a bundle of events is some 10,000
objects, and none of them is cyclic garbage meanwhile."""

ALLOCATIONS_OF_PAGES = 5_000
"""The same where people wait: a collection pauses a page for a few ms, after 50,000 for 70 ms."""


def collect_garbage_rarely(allocations: int = ALLOCATIONS) -> None:
    """Collect rarely: while ingesting events, collecting cost a seventh of storing them."""
    gc.collect()
    gc.freeze()  # imported modules are never garbage
    gc.set_threshold(allocations, 20, 50)


def raise_file_limit() -> None:
    """Let this process open as many files as the system allows: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
