"""Fixtures that several folders of integration tests share."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from jinja2 import BytecodeCache, FileSystemBytecodeCache

from config.settings import Settings
from dashboard.access.sign_in_attempts import SignInAttempts
from ingress.app import create_app
from ingress.batch import LARGEST_BATCH
from ingress.client import key_directory
from ingress.client.gate import Gate
from ingress.client.key_directory import Directory
from ingress.client.rate_limit import RateLimiter
from ingress.door import Door
from ingress.formats.routes import LARGER_BODIES
from ingress.metrics import Metrics
from ingress.track import Tracking
from models.database import connect, database, query, transaction
from queues.admissions import Admissions
from queues.broker import CLIENT_TIMEOUT, QueueBroker, build_broker
from queues.durability import read_durability
from queues.refused.requests import RefusedRequests
from queues.shared_admissions import SharedAdmissions
from serving.in_threads import InThreads
from standalone.embedded import redis_url
from tests.support.brokers import NewBroker
from tests.support.dashboard.application import Dashboard, ServeDashboard, new_dashboard
from tests.support.ingress.application import NOW, Clock, Ingress, Serve
from tests.support.product.data_template import FOLDER_VARIABLE
from tests.support.world import World


@pytest.fixture
def world(settings: Settings) -> World:
    """An organization with the rules of `tests.support.world`."""
    del settings  # the database
    return World.create()


@pytest.fixture
def serve(settings: Settings) -> Iterator[Serve]:
    """Return a function that builds the ingress like `ingress/rsgi.py`, with replaced parts."""
    database.obj.close_all()
    connect(settings, answer_within_ms=400)
    clients: list[redis.Redis] = []
    gates: list[Gate] = []

    def build(
        *,
        queue_url: str = settings.redis_url,
        limits_url: str = settings.rate_limit_redis_url,
        rate_limit: str = settings.rate_limit,
        now: Callable[[], datetime] = lambda: NOW,
        trusted_proxies: int = 0,
        metrics_token: str | None = None,
    ) -> Ingress:
        broker = build_broker(queue_url, timeout=CLIENT_TIMEOUT)
        queue = redis.Redis.from_url(settings.redis_url)
        clients.extend([broker.client, queue])

        def check_postgres() -> None:
            with transaction():
                query("select 1")

        admissions = Admissions(broker.client)
        gate = Gate(
            directory=Directory(),
            limiter=RateLimiter(limits_url, rate_limit),
            admissions=admissions,
            refused=RefusedRequests(broker.client),
        )
        gates.append(gate)
        metrics = Metrics(metrics_token, admissions) if metrics_token else None
        tracking = Tracking(replace(gate, count_events=metrics.events) if metrics else gate, now)
        app = create_app(
            tracking,
            redis=partial(read_durability, broker.client),
            postgres=check_postgres,
            trusted_proxies=trusted_proxies,
            metrics=metrics,
        )
        door = Door(
            InThreads(app, threads=1, largest_body=LARGEST_BATCH, larger_bodies=LARGER_BODIES),
            tracking,
            SharedAdmissions(queue_url, admissions),
            trusted_proxies=trusted_proxies,
            metrics=metrics,
        )
        return Ingress(app, door, queue)

    yield build
    for gate in gates:
        gate.admissions.close()
        gate.limiter.close()
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def compiled_templates() -> BytecodeCache:
    """Compile each template once per test run: compiling takes longer than most tests."""
    return FileSystemBytecodeCache(os.environ[FOLDER_VARIABLE])


@pytest.fixture(scope="session")
def build_dashboard(
    shared_settings: Settings, compiled_templates: BytecodeCache
) -> Iterator[ServeDashboard]:
    """Return a function that builds the dashboard like `dashboard/rsgi.py`, with replaced parts."""
    clients: list[redis.Redis] = []

    def build(
        *,
        limits_url: str = shared_settings.rate_limit_redis_url,
        queue_url: str = shared_settings.redis_url,
        **changes: Any,
    ) -> Dashboard:
        attempts = SignInAttempts(limits_url)
        broker = build_broker(queue_url, timeout=CLIENT_TIMEOUT)
        clients.extend([attempts.client, broker.client])
        dashboard = new_dashboard(replace(shared_settings, **changes), attempts, broker)
        dashboard.app.jinja_env.bytecode_cache = compiled_templates
        return dashboard

    yield build
    for client in clients:
        client.connection_pool.disconnect()


@pytest.fixture
def serve_dashboard(settings: Settings, build_dashboard: ServeDashboard) -> ServeDashboard:
    """Return a function that builds a dashboard with replaced parts, on an empty database."""
    del settings  # the database
    return build_dashboard


@pytest.fixture(scope="session")
def shared_dashboard(build_dashboard: ServeDashboard) -> Dashboard:
    """The dashboard that tests use in turn: building one takes as long as three pages."""
    return build_dashboard()


@pytest.fixture
def dashboard(settings: Settings, shared_dashboard: Dashboard) -> Dashboard:
    """A dashboard with the default settings, on an empty database."""
    del settings  # the database
    shared_dashboard.reset()
    return shared_dashboard


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(key_directory, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def broker_of_pages(settings: Settings) -> Iterator[QueueBroker]:
    """A broker for a dashboard that a test builds itself."""
    broker = build_broker(settings.redis_url, timeout=CLIENT_TIMEOUT)
    yield broker
    broker.client.connection_pool.disconnect()


@pytest.fixture
def new_broker(servers: Any) -> Iterator[NewBroker]:
    """Return a function that makes brokers on one empty Redis, as separate processes would."""
    brokers: list[QueueBroker] = []

    def make(**options: Any) -> QueueBroker:
        brokers.append(build_broker(redis_url(servers.data), **options))
        return brokers[-1]

    make().client.flushall()
    yield make
    for broker in brokers:
        broker.client.close()
