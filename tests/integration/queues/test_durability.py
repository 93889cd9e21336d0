"""What the settings of Redis promise for accepted events."""

import logging
from collections.abc import Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.settings import Settings
from queues.durability import Durability, log_durability, read_durability


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis_url) as client:
        yield client


@pytest.fixture
def restricted(client: redis.Redis, settings: Settings) -> Iterator[redis.Redis]:
    """A connection that may not read settings, as with many providers."""
    client.execute_command("ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all", "-config")
    with redis.Redis.from_url(settings.redis_url, username="app", password="x") as restricted:
        yield restricted
    client.execute_command("ACL", "DELUSER", "app")


@pytest.mark.parametrize(
    ("settings_of_redis", "survives", "is_weak"),
    [
        (("yes", "always", "no", "noeviction"), "a power cut", False),
        (("yes", "always", "yes", "noeviction"), "during a rewrite", False),
        (("yes", "everysec", "no", "volatile-lru"), "may lose two seconds", False),
        (("yes", "no", "no", "noeviction"), "may lose half a minute", False),
        (("no", "always", "no", "noeviction"), "nothing, not even a restart", True),
        (("yes", "always", "no", "allkeys-lfu"), "allkeys-lfu removes them", True),
        ((None, None, None, None), "unknown", False),
    ],
)
def test_each_setting_is_put_into_words(
    settings_of_redis: tuple[str | None, ...], survives: str, *, is_weak: bool
) -> None:
    durability = Durability(*settings_of_redis)
    assert survives in durability.survives
    assert durability.is_weak == is_weak


def test_the_settings_in_force_are_read(client: redis.Redis) -> None:
    assert read_durability(client) == Durability("yes", "everysec", "no", "noeviction")


def test_where_settings_may_not_be_read_they_are_unknown(restricted: redis.Redis) -> None:
    durability = read_durability(restricted)
    assert durability == Durability(None, None, None, None)
    assert durability.survives.startswith("unknown")


def test_a_process_logs_them_and_warns_if_they_are_weak(
    client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "brazebee")
    log_durability(client)
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        log_durability(client)
    finally:
        client.config_set("maxmemory-policy", "noeviction")
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert "accepted events survive: a restart of Redis" in caplog.text


def test_without_redis_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with redis.Redis(port=1, retry=Retry(NoBackoff(), 0)) as nowhere:
        log_durability(nowhere)
        with pytest.raises(redis.ConnectionError):
            read_durability(nowhere)
    assert caplog.text == ""
