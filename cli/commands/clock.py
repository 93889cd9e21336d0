"""`brazebee clock`: the process that finds due work and enqueues it."""

from collections.abc import Callable
from datetime import datetime

import click

from actors.clock import Clock
from cli.connection import find_settings
from config.process import configure_logging
from config.settings import Settings
from config.stop_signals import stop_on_signals
from models.database import check_database, connect
from queues.broker import QueueBroker, build_broker
from services.times import utc_now


@click.command("clock")
def clock() -> None:
    """Run the clock until stopped. A second clock may run; it takes over when the first ends."""
    stopping = stop_on_signals()
    settings = find_settings()
    configure_logging(settings.log_level)
    connect(settings)
    check_database()
    build_clock(settings, build_broker(settings.redis_url), utc_now).run(stopping)


def build_clock(settings: Settings, broker: QueueBroker, now: Callable[[], datetime]) -> Clock:
    """Return a clock with a broker and a source of the current time."""
    return Clock(broker, now, settings.webhooks)
