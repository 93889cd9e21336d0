"""Requests to the application that Granian serves, without a socket."""

import asyncio
from collections.abc import Mapping, Sequence

from ingress.door import Door
from tests.support.ingress.granian import FakeExchange, FakeHeaders, FakeScope
from tests.support.ingress.loop_thread import LoopThread


class DoorClient:
    """Sends requests to a `Door`, all on one event loop."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._loop = LoopThread()

    def post(
        self, path: str, *bodies: bytes, headers: Mapping[str, str], **exchange: bool
    ) -> list[FakeExchange]:
        """Post bodies at the same time, and return the exchanges."""
        exchanges = [FakeExchange([body], **exchange) for body in bodies]
        self._loop.run(self._send_all("POST", path, exchanges, headers))
        return exchanges

    def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], **exchange: bool
    ) -> FakeExchange:
        """Send one request, and return its exchange."""
        one = FakeExchange([body] if body else [], **exchange)
        self._loop.run(self._send_all(method, path, [one], headers))
        return one

    def close(self) -> None:
        self._loop.run(self._door.close())
        self._loop.close()

    async def _send_all(
        self,
        method: str,
        path: str,
        exchanges: Sequence[FakeExchange],
        headers: Mapping[str, str],
    ) -> None:
        names = {name.lower(): value for name, value in headers.items()}
        await asyncio.gather(
            *(
                self._door.__rsgi__(
                    FakeScope(method, path, FakeHeaders([*length_of(each, names), *names.items()])),
                    each,
                )
                for each in exchanges
            )
        )


def length_of(exchange: FakeExchange, names: Mapping[str, str]) -> list[tuple[str, str]]:
    if "content-length" in names or "transfer-encoding" in names:
        return []
    return [("content-length", str(sum(map(len, exchange.parts))))]
