"""Which server may serve a directory, and what becomes of what former ones left there."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from queues.lanes.lane_queue import LaneQueue
from standalone.data_directory import DataDirectory
from standalone.embedded import redis_command, redis_url
from standalone.embedded_redis.directory import damage_of_snapshot, prepare_redis_directory
from standalone.embedded_redis.server import redis_server
from standalone.errors import StandaloneError
from standalone.supervisor import Supervisor
from standalone.waiting import wait_for_redis
from tests.support.product.redis_6_2 import APPEND_ONLY_FILE, EVENTS

ZEROS = bytes(512)
HEAD = b"REDIS00%d\xfa\x09redis-ver\x05%s\xfa\x0aredis-bits\xc0@"


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    data = DataDirectory(tmp_path / "data")
    data.create()
    return data


def prepare(data: DataDirectory) -> list[str]:
    return prepare_redis_directory(data.redis, redis_server())


@contextmanager
def served(data: DataDirectory) -> Iterator[redis.Redis]:
    supervisor = Supervisor(os.environ)
    supervisor.start([redis_command(data)])
    try:
        wait_for_redis(redis_url(data))
        with redis.Redis.from_url(redis_url(data)) as client:
            yield client
    finally:
        supervisor.stop([["redis"]], seconds=10)
        data.remove_socket_directories()


def events(client: redis.Redis) -> set[str]:
    journal, found = LaneQueue.of_events(client), set()
    for lane in journal.waiting():
        entries = client.xrange(f"brazebee:{{events}}:lane:{lane.lane.name}")
        found |= {json.loads(fields[b"1"])["event_id"] for _, fields in entries}
    return found


def with_snapshot(directory: Path, snapshot: bytes) -> Path:
    folder = directory / "appendonlydir"
    folder.mkdir()
    (folder / "appendonly.aof.manifest").write_text(
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    )
    base = folder / "appendonly.aof.1.base.rdb"
    base.write_bytes(snapshot)
    (folder / "appendonly.aof.1.incr.aof").touch()
    return base


def test_a_directory_of_redis_6_2_is_taken_over_without_loss(data: DataDirectory) -> None:
    (data.redis / "appendonly.aof").write_bytes(APPEND_ONLY_FILE + ZEROS)
    taken_over, cut = prepare(data)
    assert "was written by Redis 6.2" in taken_over
    assert "the last 512 bytes" in cut
    with served(data) as client:
        assert events(client) == EVENTS
    assert prepare(data) == [], "the second start changes nothing"
    with served(data) as client:
        assert events(client) == EVENTS


def test_a_takeover_that_was_interrupted_is_continued(data: DataDirectory) -> None:
    (data.redis / "appendonly.aof").write_bytes(APPEND_ONLY_FILE)
    folder = data.redis / "appendonlydir"
    folder.mkdir()
    (folder / "appendonly.aof.manifest").write_text("file appendonly.aof seq 1 type b\n")
    prepare(data)
    with served(data) as client:
        assert events(client) == EVENTS


@pytest.mark.parametrize(
    ("snapshot", "writer"),
    [
        (HEAD % (12, b"7.4.1"), "Redis 7.4"),
        (HEAD % (12, b"8.2.3"), "Redis 8.2"),
        (HEAD.replace(b"redis-ver", b"valkey-ver") % (99, b"99.0."), "Valkey 99.0"),
    ],
)
def test_what_a_newer_server_wrote_is_refused(
    data: DataDirectory, snapshot: bytes, writer: str
) -> None:
    base = with_snapshot(data.redis, snapshot)
    with pytest.raises(StandaloneError, match=f"was written by {writer}, whose files"):
        prepare(data)
    assert base.read_bytes() == snapshot
    assert not (data.redis / "written-by.json").exists()


def test_a_directory_remembers_the_server_although_nothing_else_says_so(
    data: DataDirectory,
) -> None:
    prepare(data)
    written = data.redis / "written-by.json"
    written.write_text(written.read_text().replace("[9,", "[99,"))
    with pytest.raises(StandaloneError, match=r"Valkey 99\.\d"):
        prepare(data)


def test_a_record_that_is_damaged_is_refused(data: DataDirectory) -> None:
    (data.redis / "written-by.json").write_text("{}")
    with pytest.raises(StandaloneError, match="is damaged; remove it"):
        prepare(data)


def test_events_that_two_versions_wrote_beside_each_other_are_not_passed_over(
    data: DataDirectory,
) -> None:
    with_snapshot(data.redis, b"")
    (data.redis / "appendonly.aof").write_bytes(APPEND_ONLY_FILE)
    with pytest.raises(StandaloneError, match="both contain events"):
        prepare(data)


def test_a_damaged_snapshot_is_named(data: DataDirectory) -> None:
    with served(data) as client:
        client.set("key", "value")
        client.bgrewriteaof()
        while client.info("persistence")["aof_rewrite_in_progress"]:
            pass
    assert damage_of_snapshot(data.redis, redis_server()) is None
    [base] = data.redis.rglob("*.base.rdb")
    base.write_bytes(base.read_bytes()[:-9])
    sentence = damage_of_snapshot(data.redis, redis_server())
    assert sentence is not None
    assert sentence.startswith(f"{base} is damaged")
