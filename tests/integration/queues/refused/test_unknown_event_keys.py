"""Event keys that are not configured are recorded when they are refused, up to a limit."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from config.settings import Settings
from queues.admissions import Admission, AdmissionRequest, Admissions, RateWindow
from queues.broker import build_broker
from queues.refused import unknown_event_keys
from queues.refused.unknown_event_keys import KEPT_FOR, UnknownKey, UnknownKeys
from tests.support.ingress.application import NO_REDIS, NOW, SMALL, Serve, tenant
from tests.support.ingress.refusals import note_unknown_keys

HOUR = RateWindow(7, limit=3, seconds=3600)
STORED_AT = NOW.replace(microsecond=123_000)
"""Times are stored to the millisecond."""


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis_url) as connected:
        yield connected


@pytest.fixture
def keys(client: redis.Redis) -> UnknownKeys:
    return UnknownKeys(client)


def named(keys: UnknownKeys, organization_id: int = 1) -> list[tuple[str, int]]:
    return [(key.event_key, key.times) for key in keys.of_organization(organization_id, NOW)]


def test_a_key_is_listed_with_the_number_and_times_of_its_refusals(
    keys: UnknownKeys, client: redis.Redis
) -> None:
    note_unknown_keys(client, 1, {"signup": 1}, NOW - timedelta(hours=2))
    note_unknown_keys(client, 1, {"signup": 3, "ключ 😀": 1}, NOW)
    note_unknown_keys(client, 2, {"other": 1}, NOW)
    assert keys.of_organization(1, NOW) == [
        UnknownKey("ключ 😀", 1, STORED_AT, STORED_AT),
        UnknownKey("signup", 4, STORED_AT - timedelta(hours=2), STORED_AT),
    ]


def test_a_key_that_has_not_been_refused_for_long_is_forgotten(
    keys: UnknownKeys, client: redis.Redis
) -> None:
    note_unknown_keys(client, 1, {"old": 5, "back": 5}, NOW - KEPT_FOR)
    note_unknown_keys(client, 1, {"back": 1}, NOW)
    assert keys.of_organization(1, NOW) == [UnknownKey("back", 1, STORED_AT, STORED_AT)]
    assert 0 < client.pttl("brazebee:unknown:1") <= KEPT_FOR / timedelta(milliseconds=1)


def test_the_number_of_keys_is_limited_and_recurring_ones_are_kept(
    keys: UnknownKeys, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_event_keys, "MAX_KEYS", 5)
    for n in range(50):
        note_unknown_keys(client, 1, {f"id-{n}": 1, "signup": 1}, NOW - timedelta(seconds=50 - n))
    noted = dict(named(keys))
    assert len(noted) == 5
    assert noted["signup"] == 50
    assert "id-49" in noted


def test_a_key_can_be_forgotten_once_it_is_configured(
    keys: UnknownKeys, client: redis.Redis
) -> None:
    note_unknown_keys(client, 1, {"a": 1, "b": 1}, NOW)
    keys.forget(1, "a")
    assert named(keys) == [("b", 1)]
    note_unknown_keys(client, 1, {}, NOW)
    assert named(keys) == [("b", 1)]


# Refused by the ingress


def test_an_event_that_is_not_configured_is_noted(serve: Serve, keys: UnknownKeys) -> None:
    owner, ingress = tenant(), serve()
    assert ingress.track(SMALL, owner.key).status_code == 200
    for _ in range(2):
        answer = ingress.track({**SMALL, "event_key": "signup"}, owner.key)
        assert answer.status_code == 404
    assert keys.of_organization(owner.id, NOW) == [UnknownKey("signup", 2, STORED_AT, STORED_AT)]


def test_the_keys_of_a_batch_are_noted_together(serve: Serve, keys: UnknownKeys) -> None:
    owner, ingress = tenant(), serve()
    refused = [{**SMALL, "event_key": key} for key in ("a", "b", "a")]
    answer = ingress.batch([*refused, SMALL, {"event_key": "c"}], owner.key)
    assert answer.status_code == 200
    assert sorted(named(keys, owner.id)) == [("a", 2), ("b", 1)]


def test_requests_beyond_the_limit_note_nothing(serve: Serve, keys: UnknownKeys) -> None:
    owner, ingress = tenant(rate_limit="1/hour"), serve()
    answers = [ingress.track({**SMALL, "event_key": "x"}, owner.key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 429, 429]
    assert named(keys, owner.id) == [("x", 1)]


def test_without_redis_a_refused_event_gets_503_as_well(serve: Serve) -> None:
    owner, ingress = tenant(), serve(queue_url=NO_REDIS)
    assert ingress.track({**SMALL, "event_key": "x"}, owner.key).status_code == 503


# Usage of the rate limit


def test_reading_the_usage_returns_the_count_without_changing_it(settings: Settings) -> None:
    broker = build_broker(settings.redis_url)
    admissions = Admissions(broker.client)
    assert admissions.usage(HOUR) == Admission(0, 0)
    for _ in range(5):
        admissions.admit(AdmissionRequest(HOUR))
    usage = admissions.usage(HOUR)
    assert usage.requests == admissions.usage(HOUR).requests == 5
    assert 3_590_000 < usage.ends_in_ms <= 3_600_000
    assert admissions.usage(HOUR._replace(organization_id=8)).requests == 0
    broker.client.close()
