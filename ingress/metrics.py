"""Prometheus metrics of the ingress: requests, events, durations and the queue.

Counting costs a request about 5 microseconds. All worker processes of one `web` process write to
files in one directory; the process that answers a scrape adds them up.
"""

import hmac
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
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
from ingress.formats.routes import FORMS
from queues.admissions import Admissions

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

_ENDPOINTS = {
    "/v1/track": "track",
    "/v1/track/batch": "batch",
    **{form.path: form.name for form in FORMS},
}
"""By path. All other paths share one label, because anybody can request any path."""

_UPDATES = {"/v1/companies/": "companies", "/v1/users/": "users"}
"""By the beginning of a path, which goes on with an id."""

_LABELS = (*_ENDPOINTS.values(), *_UPDATES.values(), "other")


class Metrics:
    """Counts requests and events, and serves the metrics to clients with the token.

    Processes with the same directory share their metrics; without one, a process has its own.
    """

    def __init__(self, token: str, admissions: Admissions, directory: Path | None = None) -> None:
        self._expected = f"Bearer {token}".encode()
        self._served = CollectorRegistry(auto_describe=False)
        self._served.register(_QueueCollector(admissions))
        registry = self._served if directory is None else None
        if directory is not None:
            _share(directory)
            MultiProcessCollector(self._served, path=str(directory))  # type: ignore[no-untyped-call]
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
        self._seconds = {name: seconds.labels(name) for name in _LABELS}
        self._counters: dict[tuple[str, str], Counter] = {}

    def events(self, accepted: int, rejected: int) -> None:
        """Count events that were enqueued, and events that were refused for good."""
        if accepted:
            self._accepted.inc(accepted)
        if rejected:
            self._rejected.inc(rejected)

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Count and time a request."""
        endpoint = _ENDPOINTS.get(path) or _label(path)
        self._counter(endpoint, str(status)).inc()
        self._seconds[endpoint].observe(seconds)

    def measured(self, app: "WSGIApplication") -> "WSGIApplication":
        """Return the application with each request counted and timed."""

        def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            started = perf_counter()
            path = environ.get("PATH_INFO", "")

            def start(status: str, *rest: Any) -> Callable[[bytes], object]:
                self.observe(path, int(status[:3]), perf_counter() - started)
                return start_response(status, *rest)

            return app(environ, start)

        return serve

    def view(self) -> Response:
        """Serve `GET /metrics`."""
        header = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(header, self._expected):
            answer = json_answer({"error": "Metrics token required"}, 401)
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return Response(generate_latest(self._served), content_type=CONTENT_TYPE_LATEST)

    def _counter(self, endpoint: str, status: str) -> Counter:
        # `labels` takes a lock, and as long as counting itself.
        counter = self._counters.get((endpoint, status))
        if counter is None:
            counter = self._counters[endpoint, status] = self._requests.labels(endpoint, status)
        return counter


def _label(path: str) -> str:
    return next((label for start, label in _UPDATES.items() if path.startswith(start)), "other")


class _QueueCollector(Collector):
    """Reads the queue for each scrape."""

    def __init__(self, admissions: Admissions) -> None:
        self._admissions = admissions

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client.registry.Collector`. Without Redis, some are left out."""
        waiting = GaugeMetricFamily("brazebee_ingress_queue_waiting", "Events not stored yet.")
        ahead = GaugeMetricFamily(
            "brazebee_ingress_clock_ahead_seconds",
            "How far the clock of this process is ahead of that of Redis.",
        )
        try:
            waiting.add_metric([], self._admissions.waiting())
            difference = datetime.now(UTC) - self._admissions.present()
            ahead.add_metric([], difference.total_seconds())
        except RedisError:
            waiting.samples.clear()
        yield waiting
        yield ahead
        yield GaugeMetricFamily(
            "brazebee_ingress_shedding",
            "1 while events are refused because Redis is nearly full.",
            value=float(self._admissions.nearly_full),
        )


def _share(directory: Path) -> None:
    """Write all metrics that are created from now on to files in a directory.

    prometheus_client itself reads the environment only when it is imported.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def metrics_directory() -> Path:
    """Return the directory that all workers of this process's parent share, creating it if needed.

    Raises:
        PermissionError: it is a link, or belongs to another user: anyone may create one there.
    """
    root = Path(tempfile.gettempdir()) / f"brazebee-web-{os.getuid()}"
    with suppress(FileExistsError):
        root.mkdir(mode=0o700)
    status = root.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PermissionError(f"{root} is not a directory of this user; remove it.")
    root.chmod(0o700)
    return directory_of(root, os.getppid())


def directory_of(root: Path, pid: int) -> Path:
    """Return the directory of a process below `root`; remove those of processes that ended."""
    for left in root.iterdir():
        if not _is_of_running_process(left):
            shutil.rmtree(left, ignore_errors=True)
    directory = root / str(pid)
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def _is_of_running_process(directory: Path) -> bool:
    try:
        started = psutil.Process(int(directory.name)).create_time()
        return directory.stat().st_mtime >= started - 1  # otherwise the pid was reused
    except (FileNotFoundError, psutil.NoSuchProcess, ValueError):
        return False
