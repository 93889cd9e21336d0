"""Composition root of the worker processes: `dramatiq actors.worker --queues ...`."""

import os
import sys

import dramatiq
from dramatiq.middleware import CurrentMessage

from actors.capacity import Capacity
from actors.deliver import Deliverer
from actors.notifications.notifier import Notifier
from actors.registration import register_actors
from actors.retries import WebhookRetries
from actors.stopped_attempts import StoppedAttempts
from config.errors import ConfigError
from config.process import collect_garbage_rarely, configure_logging
from config.settings import Settings
from models.database import LOCK_TIMEOUT_MS, check_database, connect
from models.suitable_database import UnsuitableDatabase
from queues import messages
from queues.broker import build_broker
from queues.elastic_threads import ElasticThreads
from services.notifications.delivery import Sender
from services.notifications.metrics import NotificationCounters
from services.rules.rule_books import RuleBooks
from services.webhooks.addresses import AddressPolicy
from services.webhooks.metrics import WebhookCounters
from services.webhooks.transport import Transport

try:
    settings = Settings.from_environment(os.environ)
except ConfigError as error:
    sys.exit(str(error))

if not settings.secret_keys:
    # A worker without a key would take deliveries from other workers and use up their attempts.
    sys.exit("BRAZEBEE_SECRET_KEY: is not set; it decrypts the secrets that sign webhooks.")

configure_logging(settings.log_level)
connect(settings, lock_timeout_ms=LOCK_TIMEOUT_MS)
try:
    check_database()
except UnsuitableDatabase as error:
    sys.exit(str(error))
client = build_broker(settings.redis_url).client
counters = WebhookCounters(client)
threads = settings.webhooks.threads
capacity = Capacity(threads)
broker = build_broker(
    settings.redis_url,
    # The thread of an attempt is free when `WebhookRetries` has recorded it.
    middleware=[
        CurrentMessage(),
        ElasticThreads((messages.WEBHOOKS, messages.NOTIFICATIONS), threads),
        WebhookRetries(counters, capacity),
    ],
    webhook_prefetch=threads,
)
dramatiq.set_broker(broker)
transport = Transport(AddressPolicy(settings.webhook_allow_nets), settings.webhooks)
rulebooks = RuleBooks()
deliverer = Deliverer(
    broker,
    transport=transport,
    secret_keys=settings.secret_keys,
    counters=counters,
    capacity=capacity,
)
notifier = Notifier(
    Sender(transport, rulebooks, settings.secret_keys, settings.smtp, settings.dashboard_url),
    NotificationCounters(client),
)
broker.add_middleware(StoppedAttempts(deliverer, notifier))
register_actors(broker, rulebooks=rulebooks, deliverer=deliverer, notifier=notifier)
collect_garbage_rarely()
