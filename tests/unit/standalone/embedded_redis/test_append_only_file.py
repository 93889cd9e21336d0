"""Append-only files that are cut off, end with zeros, or are damaged."""

import stat
import subprocess
from pathlib import Path

import pytest

from standalone.embedded_redis.append_only_file import cut_unfinished_tail, is_unfinished
from standalone.embedded_redis.server import redis_server
from standalone.errors import StandaloneError


def command(*arguments: bytes) -> bytes:
    parts = [b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in arguments]
    return b"*%d\r\n" % len(arguments) + b"".join(parts)


WHOLE = command(b"SELECT", b"0") + 3 * command(b"XADD", b"lane", b"*", b"1", b"{}")
LAST = command(b"XADD", b"lane", b"*", b"1", b"zero at its end\0")
TRANSACTION = command(b"MULTI") + LAST
ZEROS = bytes(512)


def cut(*files: Path) -> str | None:
    return cut_unfinished_tail(files, redis_server())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "appendonly.aof"


@pytest.mark.parametrize("zeros", [b"", b"\0", ZEROS])
@pytest.mark.parametrize("written", [LAST, TRANSACTION])
def test_whatever_part_of_the_last_write_is_there_it_is_cut_and_kept(
    file: Path, written: bytes, zeros: bytes
) -> None:
    """Writes are cut at several places rather than at each, as every check is a process."""
    for length in range(0, len(written), 7):
        tail = written[:length] + zeros
        file.write_bytes(WHOLE + tail)
        line = cut(file)
        assert file.read_bytes() == WHOLE
        copies = list(file.parent.glob("*.cut-at-*"))
        assert [copy.read_bytes() for copy in copies] == ([tail] if tail else [])
        for copy in copies:
            assert line is not None
            assert str(copy) in line
            assert stat.S_IMODE(copy.stat().st_mode) == 0o600
            copy.unlink()
        assert cut(file) is None


def test_every_beginning_of_a_write_is_unfinished_with_and_without_zeros() -> None:
    for length in range(len(LAST)):
        assert is_unfinished(LAST[:length])
        assert is_unfinished(LAST[:length] + ZEROS)


@pytest.mark.parametrize(
    "data",
    [
        b"garbage",
        LAST + b"garbage",
        ZEROS + LAST,
        LAST[:10] + ZEROS + LAST,
        LAST.replace(b"\r\n*", b"XX*"),
        LAST,
        TRANSACTION + command(b"EXEC"),
        b"*x",
        b"$3\r\n",
    ],
)
def test_anything_else_is_damage(data: bytes) -> None:
    assert not is_unfinished(data)


def test_a_damaged_middle_is_refused_with_the_way_to_mend_it(file: Path) -> None:
    damaged = WHOLE.replace(b"lane", b"XXXXXXX", 2) + WHOLE
    file.write_bytes(damaged)
    with pytest.raises(StandaloneError) as refused:
        cut(file)
    assert file.read_bytes() == damaged
    text = str(refused.value)
    assert f"{file} is damaged at byte 23 of {len(damaged):,}" in text
    assert "valkey-check-aof: 0x" in text
    shell = text.split("`")[1]
    subprocess.run(shell, shell=True, check=True, input=b"y\n", capture_output=True)
    assert cut(file) is None


def test_an_earlier_file_is_never_cut(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(WHOLE + LAST[:9])
    second.write_bytes(WHOLE)
    with pytest.raises(StandaloneError, match=f"{first} is damaged"):
        cut(first, second)
    assert first.read_bytes() == WHOLE + LAST[:9]


def test_a_file_that_is_damaged_at_its_beginning_is_not_dropped_as_a_whole(file: Path) -> None:
    file.write_bytes(b"garbage" + WHOLE)
    with pytest.raises(StandaloneError) as refused:
        cut(file)
    assert "Restore" in str(refused.value)
    assert "--fix" not in str(refused.value)


def test_whole_empty_and_missing_files_stay_as_they_are(file: Path) -> None:
    assert cut(file) is None
    file.touch()
    assert cut(file) is None
    file.write_bytes(WHOLE)
    assert cut(file) is None
