"""Admits the requests of an event loop together: one round trip, and one flush of Redis, for many.

While Redis writes a group of requests to its disk, the next ones gather. A request that arrives
alone does not wait.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from queues.admissions import SCRIPT, Admission, AdmissionRequest, Admissions, Command

ANSWER_SECONDS = 5.0
"""How long Redis may take for a group; a request that waits for it occupies no thread."""

LARGEST_GROUP = 200


@dataclass(frozen=True)
class _Waiting:
    command: Command
    reply: asyncio.Future[Any]

    def resolve(self, result: Any) -> None:
        if self.reply.done():  # its client has gone
            return
        if isinstance(result, Exception):
            self.reply.set_exception(result)
        else:
            self.reply.set_result(result)


class SharedAdmissions:
    """The way into the journal for all requests of an event loop."""

    def __init__(self, redis_url: str, admissions: Admissions) -> None:
        self._pool = Redis.from_url(redis_url).connection_pool
        self._admissions = admissions
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None

    async def admit(self, request: AdmissionRequest) -> Admission:
        """Do what `Admissions.admit` does.

        Raises:
            RedisError: Redis does not answer or is full. The events may be accepted or not.
        """
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_groups())
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        command = self._admissions.command(request)
        self._waiting.append(_Waiting(command, reply))
        self._arrived.set()
        try:
            return self._admissions.admission(command, await reply)
        except OutOfMemoryError:
            self._admissions.log_memory(is_full=True)
            raise

    async def close(self) -> None:
        """End the connection to Redis; call it when no request is waiting."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._sending = None

    async def _send_groups(self) -> None:
        connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await self._send_each_group(connection)
        finally:
            await connection.disconnect(nowait=True)

    async def _send_each_group(self, connection: AbstractConnection) -> None:
        while True:
            await self._arrived.wait()
            group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
            if not self._waiting:
                self._arrived.clear()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await _send(connection, group)
            except Exception as error:  # noqa: BLE001 -- each of the requests raises it
                await connection.disconnect(nowait=True)
                failed = error if isinstance(error, RedisError) else RedisTimeoutError(str(error))
                for waiting in group:
                    waiting.resolve(failed)


async def _send(connection: AbstractConnection, group: list[_Waiting]) -> None:
    # Without hiredis, packing would take a quarter of what a request takes in Python.
    commands = b"".join(pack_command(tuple(waiting.command.parts)) for waiting in group)
    await connection.send_packed_command(commands, check_health=False)
    not_run = []
    for waiting in group:
        try:
            waiting.resolve(await connection.read_response())
        except NoScriptError:
            not_run.append(waiting)
        except ResponseError as error:
            waiting.resolve(error)
    if not_run:
        await connection.send_command("SCRIPT", "LOAD", SCRIPT)
        await connection.read_response()
        await _send(connection, not_run)
