"""Waits until PostgreSQL and Redis answer, embedded or remote."""

import time
from collections.abc import Callable

import psycopg2
import redis

from standalone.errors import StandaloneError, first_line

START_SECONDS = 30.0
ANSWER_SECONDS = 3.0
"""The time limit for a server that should already be running."""

STARTING_UP = ("starting up", "recovery mode", "not yet accepting", "loading the dataset")
"""Parts of the errors that servers return while they replay their log or load their data."""

KeepWaiting = Callable[[], bool]
"""Called between attempts; returns whether to continue."""


def wait_for_postgres(
    url: str, seconds: float = START_SECONDS, *, keep_waiting: KeepWaiting | None = None
) -> None:
    """Wait until PostgreSQL answers.

    With `keep_waiting`, a server that reports that it is starting up is waited for without a time
    limit: after a kill it replays its log, up to 4 GB.

    Raises:
        StandaloneError: it does not answer, or `keep_waiting` returned False.
    """
    _wait(lambda: psycopg2.connect(url, connect_timeout=3).close(), psycopg2.Error,
          "PostgreSQL", "DATABASE_URL", seconds, keep_waiting)  # fmt: skip


def wait_for_redis(
    url: str, seconds: float = START_SECONDS, *, keep_waiting: KeepWaiting | None = None
) -> None:
    """Wait until Redis answers; `keep_waiting` works as for PostgreSQL.

    Raises:
        StandaloneError: it does not answer, or `keep_waiting` returned False.
    """
    _wait(lambda: redis.Redis.from_url(url, socket_timeout=3).ping(), redis.RedisError,
          "Redis", "REDIS_URL", seconds, keep_waiting)  # fmt: skip


def _wait(
    ping: Callable[[], object],
    failure: type[Exception],
    server: str,
    variable: str,
    seconds: float,
    keep_waiting: KeepWaiting | None,
) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            ping()
        except failure as error:
            if keep_waiting and not keep_waiting():
                raise StandaloneError(
                    f"Stopped before {server} answered: {first_line(error)}."
                ) from None
            if keep_waiting and any(phrase in str(error) for phrase in STARTING_UP):
                deadline = time.monotonic() + seconds
            elif time.monotonic() > deadline:
                raise StandaloneError(
                    f"{server} does not answer: {first_line(error)}. Check that it runs and that"
                    f" {variable} is right, or unset it to use the embedded one."
                ) from None
            time.sleep(0.05)
        else:
            return
