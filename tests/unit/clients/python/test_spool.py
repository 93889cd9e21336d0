import errno
import os
import random
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from brazebee_client import Client
from brazebee_client.spool.lines import content_of, framed
from brazebee_client.spool.spool import Kept, Spool
from brazebee_client.warnings import Warnings

from tests.support.clients.fast_clock import FastClock
from tests.support.clients.recorder import Recorder
from tests.support.product.brazebee_process import eventually

ACME = {"id": "acme", "name": "Acme"}
NOWHERE = "http://127.0.0.1:1"

NewClient = Callable[..., Client]


def track(client: Client, number: int, size: int = 10) -> list[str]:
    return [client.track("login", company=ACME, data={"x": "x" * size}) for _ in range(number)]


def leave(new_client: NewClient, number: int, size: int = 10) -> list[str]:
    """Leave events in the spool as a process does that is gone."""
    client = new_client(url=NOWHERE)
    ids = track(client, number, size)
    client.close(timeout=0)
    return ids


def segments(spool: Path) -> list[Path]:
    return sorted(spool.glob("py-*/*.log"))


def test_a_line_that_was_changed_anywhere_is_recognized() -> None:
    line = framed(b"e {}")[:-1]
    assert content_of(line) == b"e {}"
    for position in range(len(line)):
        changed = bytearray(line)
        changed[position] ^= 1
        assert content_of(bytes(changed)) is None, changed
        assert content_of(line[:position]) is None


def test_what_a_process_left_is_sent_by_the_next_one(
    new_client: NewClient, recorder: Recorder, spool: Path
) -> None:
    ids = leave(new_client, 250)
    client = new_client()
    client.track("login", company=ACME)
    eventually(lambda: client.statistics.sent == 251)
    assert client.close()
    assert set(ids) <= set(recorder.accepted_ids)
    assert len(recorder.accepted_ids) == len(set(recorder.accepted_ids))
    assert list(spool.iterdir()) == []


def test_nothing_stays_on_disk_after_everything_is_sent(
    client: Client, recorder: Recorder, spool: Path
) -> None:
    track(client, 300, size=5_000)  # several segments
    assert client.flush(60)
    eventually(lambda: sum(path.stat().st_size for path in segments(spool)) < 100_000)
    assert client.close()
    assert list(spool.iterdir()) == []


def test_only_the_user_may_read_the_spool(new_client: NewClient, spool: Path) -> None:
    before = os.umask(0)
    try:
        leave(new_client, 1)
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [spool, *spool.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_spool_gives_up_the_damaged_events_only(
    new_client: NewClient,
    recorder: Recorder,
    spool: Path,
    caplog: pytest.LogCaptureFixture,
    seed: int,
) -> None:
    randomly = random.Random(seed)
    ids = leave(new_client, 60)
    [segment] = segments(spool)
    data = bytearray(segment.read_bytes())
    hit = set()
    for _ in range(3):  # the last one cuts
        at = randomly.randrange(len(data) // 2, len(data))
        hit.add(bytes(data[:at]).count(b"\n"))
        data[at] = randomly.choice(range(ord("\n") + 1, 256)) if data[at] != 10 else 10
        data[at] ^= 0x80 if data[at] != 10 else 0
    cut = randomly.randrange(len(data) * 3 // 4, len(data))
    survivors = {
        event_id
        for n, event_id in enumerate(ids)
        if n not in hit and n < bytes(data[:cut]).count(b"\n")
    }
    segment.write_bytes(data[:cut])
    new_client().track("login", company=ACME)
    eventually(lambda: survivors <= set(recorder.accepted_ids))
    assert len(survivors) >= 25
    eventually(lambda: "damaged or unfinished lines" in caplog.text)
    eventually((spool / "damaged.log").exists)


@pytest.mark.parametrize(
    "garbage",
    [b"\0" * 5_000, b"\n" * 50, random.Random(1).randbytes(3_000)],
    ids=["zeros", "line feeds", "random"],
)
def test_garbage_at_the_end_of_a_segment_harms_nothing(
    new_client: NewClient, recorder: Recorder, spool: Path, garbage: bytes
) -> None:
    ids = leave(new_client, 10)
    with segments(spool)[0].open("ab") as file:
        file.write(garbage)
    client = new_client()
    client.track("login", company=ACME)
    eventually(lambda: set(ids) <= set(recorder.accepted_ids))
    assert client.flush(60)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\0" * 40], ids=["empty", "no", "zeros"])
def test_without_its_cursor_a_spool_is_sent_again(
    new_client: NewClient, recorder: Recorder, spool: Path, content: bytes
) -> None:
    ids = leave(new_client, 150)
    [directory] = spool.glob("py-*")
    (directory / "cursor").write_bytes(content)
    new_client().track("login", company=ACME)
    eventually(lambda: set(ids) <= set(recorder.accepted_ids))


def test_a_full_spool_drops_the_newest_events_and_says_so(
    new_client: NewClient, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    client = new_client(url=NOWHERE, max_spool_bytes=100_000)
    ids = track(client, 100, size=2_000)
    statistics = client.statistics
    assert 30 <= statistics.recorded < 60
    assert statistics.recorded + statistics.dropped == 100
    assert "The spool is full: events are dropped" in caplog.text
    client.close(timeout=0)
    new_client().track("login", company=ACME)
    kept = set(ids[: statistics.recorded])
    eventually(lambda: kept <= set(recorder.accepted_ids))
    assert not set(ids[statistics.recorded :]) & set(recorder.accepted_ids)


def test_a_full_spool_takes_events_again_once_some_are_sent(spool: Path) -> None:
    full = Spool(spool, 100_000, "never", Warnings())
    content = b"e " + b"x" * 30_000
    assert [full.add([content]) for _ in range(4)] == [Kept.ON_DISK] * 3 + [Kept.NOWHERE]
    batch = full.read()
    assert batch
    full.done(batch)
    full.look_around()  # as the sender does every two seconds
    assert full.add([content]) is Kept.ON_DISK
    full.close()


def test_without_a_place_on_disk_events_are_sent_from_memory(
    new_client: NewClient, recorder: Recorder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    client = new_client(spool_dir=in_the_way / "spool")
    ids = track(client, 30)
    assert client.flush(60)
    assert sorted(recorder.accepted_ids) == sorted(ids)
    assert client.statistics.not_on_disk == 30
    assert "events stay in memory" in caplog.text


def test_events_in_memory_move_to_the_disk_when_it_works_again(
    new_client: NewClient, recorder: Recorder, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    client = new_client(url=NOWHERE, spool_dir=in_the_way / "spool")
    ids = track(client, 30)
    in_the_way.unlink()
    eventually(lambda: list(in_the_way.glob("spool/py-*/*.log")), 10)
    client.close(timeout=0)
    new_client(spool_dir=in_the_way / "spool").track("login", company=ACME)
    eventually(lambda: set(ids) <= set(recorder.accepted_ids))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk, and not in every container")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_neither_raises_nor_damages(
    new_client: NewClient, recorder: Recorder, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = new_client(url=NOWHERE, spool_dir=small_disk / "spool")
    ids = track(client, 2_000, size=2_000)
    statistics = client.statistics
    on_disk = statistics.recorded - statistics.not_on_disk
    assert on_disk > 150
    assert statistics.not_on_disk == 1_000
    assert statistics.dropped == 2_000 - statistics.recorded
    assert os.strerror(errno.ENOSPC) in caplog.text
    client.close(timeout=0)
    successor = new_client(spool_dir=small_disk / "spool")
    successor.track("login", company=ACME)
    eventually(lambda: set(ids[:on_disk]) <= set(recorder.accepted_ids))
    assert successor.flush(60)
    assert successor.statistics.dropped == 0


@pytest.mark.parametrize("free", [0, 20_000])
def test_what_a_full_disk_does_not_take_is_sent_all_the_same(
    new_client: NewClient, recorder: Recorder, small_disk: Path, free: int
) -> None:
    with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while filler.write(b"x" * 4096):
            pass
    if free:
        os.truncate(small_disk / "filler", (small_disk / "filler").stat().st_size - free)
    client = new_client(spool_dir=small_disk / "spool")
    ids = track(client, 5, size=30_000)
    assert client.flush(60)
    assert sorted(recorder.accepted_ids) == sorted(ids)
    assert client.statistics.not_on_disk == 5
    client.close()
    assert list(small_disk.glob("spool/py-*")) == []


def test_a_directory_that_is_deleted_is_replaced(
    new_client: NewClient, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running = Spool(spool, 1_000_000, "interval", Warnings())
    assert running.add([b"e {}"]) is Kept.ON_DISK
    for path in sorted(spool.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    running.look_around()
    assert "was deleted with the events in it" in caplog.text
    assert running.add([b"e {}"]) is Kept.ON_DISK
    assert len(segments(spool)) == 1
    running.close()


@pytest.mark.parametrize("sync", ["always", "interval", "never"])
def test_every_way_of_flushing_sends_all(
    new_client: NewClient, recorder: Recorder, sync: str
) -> None:
    client = new_client(sync=sync, _clock=FastClock())
    ids = track(client, 300, size=5_000)
    assert client.flush(60)
    assert recorder.accepted_ids == ids


def test_the_refused_part_is_bounded(spool: Path) -> None:
    from brazebee_client.spool.refused import Refusal, RefusedRecords  # noqa: PLC0415

    kept = RefusedRecords(spool)
    refusal = Refusal.of(b"e", b'{"x": "%b"}' % (b"x" * 30_000), 400, "No", None)
    for _ in range(9):
        kept.add([refusal] * 80)
    size = sum(path.stat().st_size for path in spool.iterdir())
    assert 5_000_000 < size < 14_000_000
    assert len(list(kept)) > 150
