"""Notices that the clock of this machine and that of another one differ, and logs it once."""

import logging
from datetime import datetime, timedelta

logger = logging.getLogger("brazebee.clocks")

TOLERANCE = timedelta(seconds=2)
"""More than what synchronized clocks differ by, and a round trip takes."""


class ClockDifference:
    """The difference between the clock of this machine and that of a server."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._differs = False

    def note(self, own: datetime, servers: datetime) -> None:
        """Log that the clocks begin to differ, or that they no longer do."""
        difference = own - servers
        differs = abs(difference) > TOLERANCE
        if differs == self._differs:
            return
        self._differs = differs
        if differs:
            logger.warning(
                "the clock of this machine is %.1f seconds %s that of %s; synchronize them",
                abs(difference).total_seconds(),
                "ahead of" if own > servers else "behind",
                self._server,
            )
        else:
            logger.warning("the clock of this machine agrees with that of %s again", self._server)
