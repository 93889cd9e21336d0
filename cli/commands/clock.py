"""`brazebee clock`: the process that finds what is due."""

import signal
import threading

import click

from actors.clock import Clock
from cli.connection import find_settings
from config.process import configure_logging
from models.database import connect
from queues.broker import build_broker
from services.times import utc_now


@click.command("clock")
def clock() -> None:
    """Run the clock until stopped. A second one may run; it takes over when the first ends."""
    settings = find_settings()
    configure_logging(settings.log_level)
    connect(settings)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    Clock(build_broker(settings.redis_url), utc_now, settings.webhooks).run(stopping)
