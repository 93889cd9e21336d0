"""An uploaded file is kept for an hour, for one person in one organization."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from config.settings import Settings
from queues.imports.uploads import (
    KEPT_FOR,
    MOST_FILES,
    RedisNearlyFull,
    Upload,
    Uploads,
    digest_of,
)
from tests.support.dashboard.application import NOW

CONTENT = b"id,name\n1,Acme\n" * 100


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis_url) as connected:
        yield connected


@pytest.fixture
def uploads(client: redis.Redis) -> Uploads:
    return Uploads(client)


def upload(content: bytes = CONTENT) -> Upload:
    return Upload("a.csv", digest_of(content), content, {"subject": "companies"})


def test_a_file_is_found_by_its_owner_and_digest_only(uploads: Uploads) -> None:
    uploads.keep(1, 7, upload(), NOW)
    assert uploads.find(1, 7, upload().digest) == upload()
    assert uploads.find(1, 8, upload().digest) is None
    assert uploads.find(2, 7, upload().digest) is None
    assert uploads.find(1, 7, digest_of(b"other")) is None


def test_a_new_file_replaces_the_former_one_with_its_notes(uploads: Uploads) -> None:
    uploads.keep(1, 7, upload(), NOW)
    uploads.note(1, 7, {"subject": "users"}, NOW)
    found = uploads.find(1, 7, upload().digest)
    assert found is not None
    assert found.notes == {"subject": "users"}
    uploads.keep(1, 7, upload(b"new"), NOW)
    assert uploads.find(1, 7, upload().digest) is None
    assert uploads.find(1, 7, digest_of(b"new")) == upload(b"new")


def test_a_file_expires_and_takes_less_room_than_it_has_bytes(
    uploads: Uploads, client: redis.Redis
) -> None:
    uploads.keep(1, 7, upload(), NOW)
    for key in client.scan_iter("brazebee:upload*"):
        assert 0 < client.ttl(key) <= KEPT_FOR.total_seconds()
    assert client.hstrlen("brazebee:upload:1:7", "content") < len(CONTENT)


def test_an_organization_has_few_files_and_the_one_used_least_recently_goes(
    uploads: Uploads,
) -> None:
    for person in range(MOST_FILES):
        uploads.keep(1, person, upload(), NOW + timedelta(seconds=person))
    uploads.keep(2, 0, upload(), NOW)
    uploads.note(1, 0, {"subject": "users"}, NOW + timedelta(minutes=1))
    uploads.keep(1, 99, upload(), NOW + timedelta(minutes=2))
    assert uploads.find(1, 1, upload().digest) is None
    assert uploads.find(1, 0, upload().digest) is not None
    assert uploads.find(2, 0, upload().digest) is not None


def test_no_file_is_kept_while_redis_is_nearly_full(uploads: Uploads, client: redis.Redis) -> None:
    before = client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", 2 * int(client.info("memory")["used_memory"]))
    try:
        uploads.keep(1, 7, upload(), NOW)
        client.config_set("maxmemory", int(1.5 * int(client.info("memory")["used_memory"])))
        with pytest.raises(RedisNearlyFull):
            uploads.keep(1, 7, upload(b"new"), NOW)
    finally:
        client.config_set("maxmemory", before)
    assert uploads.find(1, 7, upload().digest) == upload()


def test_files_are_forgotten_with_their_organization(uploads: Uploads, client: redis.Redis) -> None:
    uploads.keep(1, 7, upload(), NOW)
    uploads.keep(1, 8, upload(), NOW)
    uploads.forget(1, 8)
    assert uploads.find(1, 8, upload().digest) is None
    uploads.forget_organization(1)
    assert list(client.scan_iter("brazebee:upload*")) == []
