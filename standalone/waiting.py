"""Waits until PostgreSQL and Redis answer, embedded or remote."""

import time
from collections.abc import Callable
from pathlib import Path

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
    url: str,
    seconds: float = START_SECONDS,
    *,
    keep_waiting: KeepWaiting | None = None,
    log: Path | None = None,
) -> None:
    """Wait until PostgreSQL answers; `log` is that of an embedded server.

    With `keep_waiting`, a server that reports that it is starting up is waited for without a time
    limit: after a kill it replays its log, up to 4 GB.

    Raises:
        StandaloneError: it does not answer, or `keep_waiting` returned False.
    """
    _wait(lambda: psycopg2.connect(url, connect_timeout=3).close(), psycopg2.Error,
          "PostgreSQL", _advice("DATABASE_URL", log), seconds, keep_waiting)  # fmt: skip


def wait_for_redis(
    url: str,
    seconds: float = START_SECONDS,
    *,
    keep_waiting: KeepWaiting | None = None,
    log: Path | None = None,
) -> None:
    """Wait until Redis answers; `keep_waiting` and `log` work as for PostgreSQL.

    Raises:
        StandaloneError: it does not answer, or `keep_waiting` returned False.
    """
    _wait(lambda: redis.Redis.from_url(url, socket_timeout=3).ping(), redis.RedisError,
          "Redis", _advice("REDIS_URL", log), seconds, keep_waiting)  # fmt: skip


def _advice(variable: str, log: Path | None) -> str:
    if log:
        return f"It is the embedded one, and its log is {log}"
    return f"Check that it runs and that {variable} is right, or unset it to use the embedded one"


def _wait(
    ping: Callable[[], object],
    failure: type[Exception],
    server: str,
    advice: str,
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
                    f"{server} does not answer: {first_line(error)}. {advice}."
                ) from None
            time.sleep(0.05)
        else:
            return
