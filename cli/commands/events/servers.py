"""The servers that commands about events need, and their errors in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from cli.connection import find_organization, find_settings, report_database_errors
from cli.errors import CommandError
from config.settings import Settings
from models.database import connect, transaction
from queues.broker import build_broker


class Servers(NamedTuple):
    """The settings, the organization that a command is about, and the Redis of the journal."""

    settings: Settings
    organization_id: int
    client: Redis


@contextmanager
def servers_of(org: str) -> Iterator[Servers]:
    """Connect, and report errors of the servers.

    Raises:
        CommandError: there is no such organization, or a server does not answer.
    """
    settings = find_settings()
    connect(settings)
    try:
        with report_database_errors():
            with transaction():
                organization_id = find_organization(org).id
            yield Servers(settings, organization_id, build_broker(settings.redis_url).client)
    except RedisError as error:
        raise CommandError(f"Redis does not answer: {str(error).rstrip('.')}.") from None
