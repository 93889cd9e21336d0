"""The application of the ingress: tracks events on the event loop, and leaves the rest to Flask.

Nearly all requests post an event. They are handled here, so that those which wait for Redis occupy
no thread, and share its round trips and flushes.
"""

from time import perf_counter
from typing import Any

from ingress.batch import LARGEST_BATCH
from ingress.client.answers import JSON, Answer
from ingress.client.steps import Blocking, Steps
from ingress.metrics import Metrics
from ingress.track import TRACK, Tracking
from queues.shared_admissions import SharedAdmissions
from serving.body import BodyError, read_body
from serving.in_threads import InThreads, refuse
from serving.rsgi import Exchange, Scope
from serving.scopes import ReadableHeaders, client_address


class Door:
    """An RSGI application; `trusted_proxies` is the number of proxies in front of it."""

    def __init__(
        self,
        others: InThreads,
        tracking: Tracking,
        admissions: SharedAdmissions,
        *,
        trusted_proxies: int = 0,
        metrics: Metrics | None = None,
    ) -> None:
        self._others = others
        self._tracking = tracking
        self._admissions = admissions
        self._trusted_proxies = trusted_proxies
        self._metrics = metrics

    async def __rsgi__(self, scope: Scope, protocol: Exchange) -> None:
        """Handle a request."""
        if scope.path != TRACK or scope.method != "POST":
            await self._others.__rsgi__(scope, protocol)
            return
        started = perf_counter()
        try:
            body = await read_body(scope, protocol, LARGEST_BATCH)
        except BodyError as error:
            refuse(protocol, error.status, str(error))
            return
        address = client_address(scope, self._trusted_proxies)
        answer = await self._run(self._tracking.handle(body, ReadableHeaders(scope), address))
        headers = [("content-type", JSON), *answer.headers]
        protocol.response_bytes(answer.status, headers, answer.body)
        if self._metrics:
            self._metrics.observe(TRACK, answer.status, perf_counter() - started)

    async def close(self) -> None:
        """Close what the event loop uses."""
        await self._admissions.close()
        self._others.close()

    async def _run(self, steps: Steps[Answer]) -> Answer:
        """Do what `ingress.client.steps.run` does, without blocking."""
        try:
            step = next(steps)
            while True:
                try:
                    result: Any
                    if isinstance(step, Blocking):
                        result = await self._others.in_thread(step.call)
                    else:
                        result = await self._admissions.admit(step)
                except Exception as error:  # noqa: BLE001 -- the handler decides what it means
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as done:
            answer: Answer = done.value
            return answer
