"""Ends the attempts of webhooks and messages that are in progress when a worker stops."""

from threading import Timer

from dramatiq import Broker, Middleware, Worker

from actors.deliver import Deliverer
from actors.notifications.notifier import Notifier
from services.webhooks.deadlines import stop_attempts

WAIT_SECONDS = 4.0
"""For answers. Most come within a second; with the time to record the others, a worker ends within
ten. Dramatiq waits longer, see `--worker-shutdown-timeout` in the Procfile."""


class StoppedAttempts(Middleware):
    """Waits a little for the answers of attempts in progress, then hangs up on the others.

    Those are attempted again by another worker, or at the next start, at once: if the worker ended
    without recording anything, they would wait for the end of their leases.
    """

    def __init__(
        self, deliverer: Deliverer, notifier: Notifier, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._deliverer = deliverer
        self._notifier = notifier
        self._wait_seconds = wait_seconds

    def before_worker_shutdown(self, _broker: Broker, _worker: Worker) -> None:
        """See `dramatiq.Middleware`."""
        self._deliverer.stop()
        self._notifier.stop()
        timer = Timer(self._wait_seconds, stop_attempts)
        timer.daemon = True
        timer.start()
