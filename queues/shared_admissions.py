"""Admits the requests of an event loop together: one round trip, and one flush of Redis, for many.

While Redis writes a group of requests to its disk, the next ones gather. A request that arrives
alone does not wait.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from queues.admissions import SCRIPT, Admission, AdmissionRequest, Admissions

ANSWER_SECONDS = 5.0
"""How long Redis may take for a group; a request that waits for it occupies no thread."""

LARGEST_GROUP = 200


class _Waiting(NamedTuple):
    request: AdmissionRequest
    admission: asyncio.Future[Admission]


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
        admission: asyncio.Future[Admission] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(request, admission))
        self._arrived.set()
        return await admission

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
            await self._send(connection, group)

    async def _send(self, connection: AbstractConnection, group: Sequence[_Waiting]) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                admissions = await self._admit(connection, [item.request for item in group])
        except OutOfMemoryError as error:
            self._admissions.log_memory(is_full=True)
            _fail(group, error)
        except (RedisError, OSError) as error:  # a `TimeoutError` is an OSError
            if isinstance(error, ResponseError):
                await self._send_one_by_one(connection, group, error)
                return
            await connection.disconnect(nowait=True)
            _fail(group, error if isinstance(error, RedisError) else RedisTimeoutError(str(error)))
        except Exception as error:  # noqa: BLE001 -- the request that causes it raises it
            await self._send_one_by_one(connection, group, error)
        else:
            for item, admission in zip(group, admissions, strict=True):
                if not item.admission.done():  # its client is still there
                    item.admission.set_result(admission)

    async def _send_one_by_one(
        self, connection: AbstractConnection, group: Sequence[_Waiting], error: Exception
    ) -> None:
        """Find the request that causes an error; it must not cost the others.

        Events that are appended again are stored once.
        """
        if len(group) == 1:
            _fail(group, error)
            return
        for item in group:
            await self._send(connection, [item])

    async def _admit(
        self, connection: AbstractConnection, requests: Sequence[AdmissionRequest]
    ) -> list[Admission]:
        command = self._admissions.command(requests)
        try:
            reply = await _run(connection, command.parts)
        except NoScriptError:
            await _run(connection, ["SCRIPT", "LOAD", SCRIPT])
            reply = await _run(connection, command.parts)
        return self._admissions.admissions(command, reply)


async def _run(connection: AbstractConnection, parts: Sequence[Any]) -> Any:
    # Without hiredis, packing would take a quarter of what a request takes in Python.
    await connection.send_packed_command(pack_command(tuple(parts)), check_health=False)
    return await connection.read_response()


def _fail(group: Iterable[_Waiting], error: Exception) -> None:
    for item in group:
        if not item.admission.done():
            item.admission.set_exception(error)
