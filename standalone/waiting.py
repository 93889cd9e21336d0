"""Waits until PostgreSQL and Redis answer, wherever they run."""

import time
from collections.abc import Callable

import psycopg2
import redis

from standalone.errors import StandaloneError, reason

START_SECONDS = 30.0
ANSWER_SECONDS = 3.0
"""What a server that should run already is given to answer."""

ON_ITS_WAY = ("starting up", "recovery mode", "not yet accepting", "loading the dataset")
"""What a server says while it reads its log again, or what it had in memory."""


GoOn = Callable[[], bool]
"""Called again and again meanwhile; whether to go on."""


def wait_for_postgres(
    url: str, seconds: float = START_SECONDS, *, go_on: GoOn | None = None
) -> None:
    """Wait until PostgreSQL answers.

    With `go_on`, one that says that it is on its way is waited for as long as that says so: after a
    kill it reads its log again, up to 4 GB of it.

    Raises:
        StandaloneError: it does not answer, with its reason; or not to go on.
    """
    _wait(lambda: psycopg2.connect(url, connect_timeout=3).close(), psycopg2.Error,
          "PostgreSQL", "DATABASE_URL", seconds, go_on)  # fmt: skip


def wait_for_redis(url: str, seconds: float = START_SECONDS, *, go_on: GoOn | None = None) -> None:
    """Wait until Redis answers; `go_on` as for PostgreSQL.

    Raises:
        StandaloneError: it does not answer, with its reason; or not to go on.
    """
    _wait(lambda: redis.Redis.from_url(url, socket_timeout=3).ping(), redis.RedisError,
          "Redis", "REDIS_URL", seconds, go_on)  # fmt: skip


def _wait(
    ask: Callable[[], object],
    failure: type[Exception],
    what: str,
    variable: str,
    seconds: float,
    go_on: GoOn | None,
) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask()
        except failure as error:
            if go_on and not go_on():
                raise StandaloneError(f"Stopped before {what} answered: {reason(error)}.") from None
            if go_on and any(words in str(error) for words in ON_ITS_WAY):
                deadline = time.monotonic() + seconds
            elif time.monotonic() > deadline:
                raise StandaloneError(
                    f"{what} does not answer: {reason(error)}. Check that it runs and that"
                    f" {variable} is right, or unset it to use the embedded one."
                ) from None
            time.sleep(0.05)
        else:
            return
