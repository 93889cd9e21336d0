"""Composition root of the web process: `granian --interface rsgi ingress.rsgi:app`."""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from config.errors import ConfigError
from config.process import collect_garbage_rarely, configure_logging, raise_file_limit
from config.settings import Settings
from ingress.app import create_app
from ingress.batch import LARGEST_BATCH
from ingress.client.gate import Gate
from ingress.client.key_directory import Directory
from ingress.client.rate_limit import RateLimiter
from ingress.door import Door
from ingress.formats.routes import LARGER_BODIES
from ingress.metrics import Metrics, metrics_directory
from ingress.track import Tracking
from models.database import connect, query, transaction
from queues.admissions import Admissions
from queues.broker import CLIENT_TIMEOUT, build_broker
from queues.durability import log_durability, read_durability
from queues.refused.requests import RefusedRequests
from queues.shared_admissions import SharedAdmissions
from serving.in_threads import InThreads

THREADS = 4
"""For batches, probes and metrics."""

try:
    settings = Settings.from_environment(os.environ)
except ConfigError as error:
    sys.exit(str(error))

configure_logging(settings.log_level)
connect(settings, answer_within_ms=400)
broker = build_broker(settings.redis_url, timeout=CLIENT_TIMEOUT)


def check_postgres() -> None:
    """Run a trivial query."""
    with transaction():
        query("select 1")


log_durability(broker.client)
admissions = Admissions(broker.client)
metrics = None
if settings.metrics_token:
    metrics = Metrics(settings.metrics_token, admissions, metrics_directory())
gate = Gate(
    directory=Directory(),
    limiter=RateLimiter(settings.rate_limit_redis_url, settings.rate_limit),
    admissions=admissions,
    refused=RefusedRequests(broker.client),
)
tracking = Tracking(
    replace(gate, count_events=metrics.events) if metrics else gate, lambda: datetime.now(UTC)
)
flask = create_app(
    tracking,
    redis=partial(read_durability, broker.client),
    postgres=check_postgres,
    trusted_proxies=settings.trusted_proxies,
    metrics=metrics,
)
app = Door(
    InThreads(flask, threads=THREADS, largest_body=LARGEST_BATCH, larger_bodies=LARGER_BODIES),
    tracking,
    SharedAdmissions(settings.redis_url, admissions),
    trusted_proxies=settings.trusted_proxies,
    metrics=metrics,
)
collect_garbage_rarely()
raise_file_limit()
