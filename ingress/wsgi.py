"""Composition root of the web process: `granian --interface wsgi ingress.wsgi:app`."""

import os
import sys
from datetime import UTC, datetime

from config.errors import ConfigError
from config.process import collect_garbage_rarely, configure_logging
from config.settings import Settings
from ingress.app import create_app
from ingress.client.gate import Gate
from ingress.client.key_directory import Directory
from ingress.client.rate_limit import RateLimiter
from ingress.metrics import Metrics, metrics_directory
from models.database import connect, query, transaction
from queues.admissions import Admissions
from queues.broker import CLIENT_TIMEOUT, build_broker
from queues.unknown_event_keys import UnknownKeys

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


admissions = Admissions(broker.client)
metrics = None
if settings.metrics_token:
    metrics = Metrics(settings.metrics_token, admissions, metrics_directory())

app = create_app(
    Gate(
        directory=Directory(),
        limiter=RateLimiter(settings.rate_limit_redis_url, settings.rate_limit),
        admissions=admissions,
        unknown_keys=UnknownKeys(broker.client),
    ),
    now=lambda: datetime.now(UTC),
    redis=broker.client.ping,
    postgres=check_postgres,
    trusted_proxies=settings.trusted_proxies,
    metrics=metrics,
)
collect_garbage_rarely()
