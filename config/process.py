"""How processes log: one readable line per event of interest, to standard error."""

import logging
import sys


def configure_logging(level: str) -> None:
    """Send this process's log to standard error, our own lines at `level`, libraries' warnings."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING, force=True)
    logging.getLogger("brazebee").setLevel(level)
    # Dramatiq's warnings print whole messages, and so events with personal data.
    logging.getLogger("dramatiq").setLevel(logging.ERROR)
