"""A connection to Redis for each thread, for the one command that every request waits for."""

import threading
import time
from typing import Any

from redis import ConnectionPool
from redis.connection import ConnectionInterface
from redis.exceptions import RedisError

LOOK_AFTER_SECONDS = 1.0
"""A connection that was not used for so long is looked at before: Redis may have closed it."""


class _Mine(threading.local):
    connection: ConnectionInterface | None = None
    used_at = 0.0


class Wire:
    """Runs commands without redis-py's pool, records and retries, which take as long again.

    A thread's connection is closed with the thread.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._mine = _Mine()

    def call(self, *command: str | bytes | float) -> Any:
        """Run a command once; what Redis answers.

        Raises:
            RedisError: it answers with an error, or not in time. Then it may have run or not.
        """
        connection = self._connection()
        connection.send_packed_command(connection.pack_command(*command), check_health=False)
        return connection.read_response()

    def _connection(self) -> ConnectionInterface:
        mine, now = self._mine, time.monotonic()
        connection = mine.connection
        if connection is None:
            connection = mine.connection = self._pool.make_connection()
        elif now - mine.used_at > LOOK_AFTER_SECONDS and _was_closed(connection):
            connection.disconnect()  # it connects again by itself
        mine.used_at = now
        return connection


def _was_closed(connection: ConnectionInterface) -> bool:
    try:
        return connection.can_read()
    except (OSError, RedisError):
        return True
