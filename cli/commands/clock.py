"""`brazebee clock`: the process that finds due work and enqueues it."""

import signal
import threading
from collections.abc import Callable
from datetime import datetime

import click

from actors.clock import Clock
from cli.connection import find_settings
from config.process import configure_logging
from config.settings import Settings
from models.database import check_database, connect
from queues.broker import QueueBroker, build_broker
from services.times import utc_now


@click.command("clock")
def clock() -> None:
    """Run the clock until stopped. A second clock may run; it takes over when the first ends."""
    settings = find_settings()
    configure_logging(settings.log_level)
    connect(settings)
    check_database()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    build_clock(settings, build_broker(settings.redis_url), utc_now).run(stopping)


def build_clock(settings: Settings, broker: QueueBroker, now: Callable[[], datetime]) -> Clock:
    """Return a clock with a broker and a source of the current time."""
    return Clock(broker, now, settings.webhooks)
