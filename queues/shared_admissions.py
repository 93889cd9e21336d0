"""Admits the requests of an event loop together: one round trip, and one flush of Redis, for many.

While Redis writes a group of requests to its disk, the next ones gather. A request that arrives
alone does not wait.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError
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
            while True:
                await self._arrived.wait()
                group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
                if not self._waiting:
                    self._arrived.clear()
                await self._send(connection, group)
        finally:
            await connection.disconnect(nowait=True)

    async def _send(self, connection: AbstractConnection, group: Sequence[_Waiting]) -> None:
        """Send a group and give each of its requests the result, or the error that it causes."""
        try:
            command = self._admissions.command([item.request for item in group])
        except Exception:  # noqa: BLE001 -- one of the requests raises it again
            group = self._without_faulty(group)
            command = self._admissions.command([item.request for item in group])
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reply = await _run_script(connection, command.parts)
        except ResponseError as error:
            _resolve(group, repeat(error))
        except (RedisError, OSError) as error:  # a `TimeoutError` is an OSError
            await connection.disconnect(nowait=True)
            is_known = isinstance(error, RedisError)
            _resolve(group, repeat(error if is_known else RedisTimeoutError(str(error))))
        else:
            _resolve(group, self._admissions.results(command, reply))

    def _without_faulty(self, group: Sequence[_Waiting]) -> list[_Waiting]:
        """Return the requests that can be written; the others raise what prevents it."""
        others = []
        for item in group:
            try:
                self._admissions.command([item.request])
            except Exception as error:  # noqa: BLE001 -- the request raises it
                _resolve([item], [error])
            else:
                others.append(item)
        return others


async def _run_script(connection: AbstractConnection, parts: Sequence[Any]) -> Any:
    try:
        return await _run(connection, parts)
    except NoScriptError:
        await _run(connection, ["SCRIPT", "LOAD", SCRIPT])
        return await _run(connection, parts)


async def _run(connection: AbstractConnection, parts: Sequence[Any]) -> Any:
    # Without hiredis, packing would take a quarter of what a request takes in Python.
    await connection.send_packed_command(pack_command(tuple(parts)), check_health=False)
    return await connection.read_response()


def _resolve(group: Sequence[_Waiting], results: Iterable[Admission | Exception]) -> None:
    for item, result in zip(group, results, strict=False):
        if item.admission.done():  # its client has gone
            continue
        if isinstance(result, Exception):
            item.admission.set_exception(result)
        else:
            item.admission.set_result(result)
