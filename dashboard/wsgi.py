"""Composition root of the dashboard process: `granian --interface wsgi dashboard.wsgi:app`."""

import os
import sys
from datetime import UTC, datetime

from config.process import configure_logging
from config.settings import Settings, SettingsError
from dashboard.access.attempts import Attempts
from dashboard.app import create_app
from dashboard.web.context import Parts
from models.database import connect
from queues.broker import CLIENT_TIMEOUT, build_broker
from services.accounts.passwords import Passwords

ANSWER_WITHIN_MS = 10_000
"""No page takes so long; a PostgreSQL that is cut off must not hold every thread."""

try:
    settings = Settings.from_environment(os.environ)
except SettingsError as error:
    sys.exit(str(error))
if not settings.secret_keys:
    sys.exit("BRAZEBEE_SECRET_KEY: is not set; the cookies of the dashboard are signed with it.")

configure_logging(settings.log_level)
connect(settings, connections=8, answer_within_ms=ANSWER_WITHIN_MS)

app = create_app(
    Parts(
        settings=settings,
        present=lambda: datetime.now(UTC),
        attempts=Attempts(settings.rate_limit_redis_url),
        passwords=Passwords(),
        broker=build_broker(settings.redis_url, timeout=CLIENT_TIMEOUT),
    )
)
