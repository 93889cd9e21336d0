"""One connection to Redis per thread, for the command that every request waits for."""

import threading
import time
from typing import Any

from redis import ConnectionPool
from redis.connection import ConnectionInterface
from redis.exceptions import RedisError

CHECK_AFTER_SECONDS = 1.0
"""A connection idle for longer is checked before use: Redis may have closed it."""


class _Local(threading.local):
    connection: ConnectionInterface | None = None
    used_at = 0.0


class ThreadConnection:
    """Runs commands without redis-py's pool, metrics and retries, which double their time.

    A thread's connection is closed with the thread.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._local = _Local()

    def call(self, *command: str | bytes | float) -> Any:
        """Run a command once and return the reply.

        Raises:
            RedisError: the reply is an error or does not come in time; the command may have run.
        """
        connection = self._connection()
        connection.send_packed_command(connection.pack_command(*command), check_health=False)
        return connection.read_response()

    def close(self) -> None:
        """Close this thread's connection; the next command opens another."""
        connection, self._local.connection = self._local.connection, None
        if connection is not None:
            connection.disconnect()

    def _connection(self) -> ConnectionInterface:
        local, now = self._local, time.monotonic()
        connection = local.connection
        if connection is None:
            connection = local.connection = self._pool.make_connection()
        elif now - local.used_at > CHECK_AFTER_SECONDS and _was_closed(connection):
            connection.disconnect()  # the next command connects again
        local.used_at = now
        return connection


def _was_closed(connection: ConnectionInterface) -> bool:
    try:
        return connection.can_read()
    except (OSError, RedisError):
        return True
