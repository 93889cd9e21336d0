"""Composition root of the dashboard process: `granian --interface rsgi dashboard.rsgi:app`."""

import os
import sys
from datetime import UTC, datetime

from config.errors import ConfigError
from config.process import (
    ALLOCATIONS_OF_PAGES,
    collect_garbage_rarely,
    configure_logging,
    raise_file_limit,
)
from config.settings import Settings
from dashboard.access.sign_in_attempts import SignInAttempts
from dashboard.app import create_app
from dashboard.web.context import AppContext
from dashboard.web.request_values import LARGEST_BODY
from models.database import check_database, connect
from models.suitable_database import UnsuitableDatabase
from queues.broker import CLIENT_TIMEOUT, build_broker
from services.accounts.passwords import Passwords
from serving.in_threads import InThreads

THREADS = 4

QUERY_TIMEOUT_MS = 10_000
"""No page takes this long; an unreachable PostgreSQL must not block every thread."""

try:
    settings = Settings.from_environment(os.environ)
except ConfigError as error:
    sys.exit(str(error))
if not settings.secret_keys:
    sys.exit("BRAZEBEE_SECRET_KEY: is not set; the cookies of the dashboard are signed with it.")

configure_logging(settings.log_level)
connect(settings, connections=8, answer_within_ms=QUERY_TIMEOUT_MS)
try:
    check_database()
except UnsuitableDatabase as error:
    sys.exit(str(error))

flask = create_app(
    AppContext(
        settings=settings,
        clock=lambda: datetime.now(UTC),
        sign_in_attempts=SignInAttempts(settings.rate_limit_redis_url),
        passwords=Passwords(),
        broker=build_broker(settings.redis_url, timeout=CLIENT_TIMEOUT),
    )
)
app = InThreads(flask, threads=THREADS, largest_body=LARGEST_BODY)  # Flask has lower limits
raise_file_limit()
collect_garbage_rarely(ALLOCATIONS_OF_PAGES)
