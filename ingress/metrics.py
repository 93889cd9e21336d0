"""How the ingress fares, as Prometheus text: requests, events, durations and the queue.

Counting costs a request about 5 microseconds. All worker processes of one `web` process write into
files of one directory, which whichever of them is asked adds up.
"""

import hmac
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import psutil
from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest, values
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from ingress.client.answers import json_answer
from queues.admissions import Admissions

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

_ENDPOINTS = {"/v1/track": "track", "/v1/track/batch": "batch"}
"""By path; all others are one, since anybody can ask for any."""


class Metrics:
    """Counts what the ingress does, and tells it to who knows the token.

    With a directory, together with all processes that have the same; without one, alone.
    """

    def __init__(self, token: str, admissions: Admissions, directory: Path | None = None) -> None:
        self._expected = f"Bearer {token}".encode()
        self._told = CollectorRegistry(auto_describe=False)
        self._told.register(_QueueCollector(admissions))
        registry = self._told if directory is None else None
        if directory is not None:
            _share(directory)
            MultiProcessCollector(self._told, path=str(directory))  # type: ignore[no-untyped-call]
        self._requests = Counter(
            "brazebee_ingress_requests", "Requests by endpoint and status.",
            ["endpoint", "status"], registry=registry,
        )  # fmt: skip
        events = Counter(
            "brazebee_ingress_events", "Events by what became of them.",
            ["outcome"], registry=registry,
        )  # fmt: skip
        self._accepted, self._rejected = events.labels("accepted"), events.labels("rejected")
        seconds = Histogram(
            "brazebee_ingress_request_seconds", "From a request's head to its answer.",
            ["endpoint"], registry=registry, buckets=BUCKETS_S,
        )  # fmt: skip
        self._seconds = {name: seconds.labels(name) for name in (*_ENDPOINTS.values(), "other")}
        self._counters: dict[tuple[str, str], Counter] = {}

    def events(self, accepted: int, rejected: int) -> None:
        """Count events that were queued, and such that never will be as they are."""
        if accepted:
            self._accepted.inc(accepted)
        if rejected:
            self._rejected.inc(rejected)

    def measured(self, app: "WSGIApplication") -> "WSGIApplication":
        """The application, with each request counted and timed."""

        def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            started = perf_counter()
            endpoint = _ENDPOINTS.get(environ.get("PATH_INFO", ""), "other")

            def start(status: str, *rest: Any) -> Callable[[bytes], object]:
                self._counter(endpoint, status[:3]).inc()
                self._seconds[endpoint].observe(perf_counter() - started)
                return start_response(status, *rest)

            return app(environ, start)

        return serve

    def tell(self) -> Response:
        """The view `GET /metrics`."""
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._expected):
            answer = json_answer({"error": "Metrics token required"}, 401)
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return Response(generate_latest(self._told), content_type=CONTENT_TYPE_LATEST)

    def _counter(self, endpoint: str, status: str) -> Counter:
        # `labels` takes a lock and as long as the counting itself.
        counter = self._counters.get((endpoint, status))
        if counter is None:
            counter = self._counters[endpoint, status] = self._requests.labels(endpoint, status)
        return counter


class _QueueCollector(Collector):
    """Asks the queue how it is whenever somebody wants to know."""

    def __init__(self, admissions: Admissions) -> None:
        self._admissions = admissions

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client.registry.Collector`. Without Redis, nothing is waiting to see."""
        waiting = GaugeMetricFamily("brazebee_ingress_queue_waiting", "Messages not yet taken.")
        try:
            waiting.add_metric([], self._admissions.waiting())
        except RedisError:
            waiting.samples.clear()
        yield waiting
        yield GaugeMetricFamily(
            "brazebee_ingress_shedding",
            "1 while events are refused because Redis is nearly full.",
            value=float(self._admissions.nearly_full),
        )


def _share(directory: Path) -> None:
    """Make everything that is counted from now on go into files of a directory.

    prometheus_client itself looks into the environment when it is imported, and not later.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def metrics_directory() -> Path:
    """The directory that all workers of this worker's parent share, made if need be.

    Raises:
        PermissionError: somebody else has made it.
    """
    root = Path(tempfile.gettempdir()) / f"brazebee-web-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise PermissionError(f"{root} belongs to another user; remove it.")
    return directory_of(root, os.getppid())


def directory_of(root: Path, pid: int) -> Path:
    """The directory below `root` of the process with this pid; those of ended ones are removed."""
    for left in root.iterdir():
        if not _is_of_running_process(left):
            shutil.rmtree(left, ignore_errors=True)
    directory = root / str(pid)
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def _is_of_running_process(directory: Path) -> bool:
    try:
        started = psutil.Process(int(directory.name)).create_time()
        return directory.stat().st_mtime >= started - 1  # else it had another's pid
    except (FileNotFoundError, psutil.NoSuchProcess, ValueError):
        return False
