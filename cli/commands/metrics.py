"""`brazebee metrics`: the metrics of webhooks and notifications, as Prometheus text."""

import threading

import click
from prometheus_client import generate_latest, start_http_server
from prometheus_client.core import CollectorRegistry
from redis.exceptions import RedisError

from cli.connection import find_settings, report_database_errors
from cli.errors import CommandError
from models.database import check_database, connect
from queues.broker import build_broker
from services.notifications.metrics import NotificationCollector, NotificationCounters
from services.times import utc_now
from services.webhooks.metrics import WebhookCollector, WebhookCounters


@click.command("metrics")
@click.option("--port", type=click.IntRange(1, 65535),
              help="Serve the metrics at /metrics on this port, until stopped.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def metrics(port: int | None, host: str) -> None:
    """Print metrics of webhooks and notifications, or serve them to Prometheus."""
    settings = find_settings()
    connect(settings)
    check_database()
    client = build_broker(settings.redis_url).client
    registry = CollectorRegistry(auto_describe=False)
    registry.register(WebhookCollector(WebhookCounters(client), utc_now))
    registry.register(NotificationCollector(NotificationCounters(client), utc_now))
    if port is not None:
        start_http_server(port, host, registry)
        click.echo(f"Serving http://{host}:{port}/metrics", err=True)
        threading.Event().wait()
    try:
        with report_database_errors():
            click.echo(generate_latest(registry).decode(), nl=False)
    except RedisError as error:
        raise CommandError(f"Redis does not answer: {error}.") from None
