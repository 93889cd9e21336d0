import os
import stat
from pathlib import Path

import pytest

from standalone.data_directory import DataDirectory, RunningInstance
from standalone.errors import StandaloneError
from standalone.private_files import own_directory, write_private


@pytest.fixture
def long(tmp_path: Path) -> DataDirectory:
    """A data directory whose path is too long for a socket in it."""
    return DataDirectory(tmp_path / ("long" * 30))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_socket_directories_outside_the_data_directory_are_removed(long: DataDirectory) -> None:
    with long.claimed():
        directories = [long.socket_directory(name) for name in ("postgres", "redis")]
        assert not any(directory.is_relative_to(long.root) for directory in directories)
        for directory in directories:
            own_directory(directory)
        (directories[1] / "redis.sock").touch()  # as a server that was killed leaves it
    assert not any(directory.exists() for directory in directories)


def test_other_files_in_a_socket_directory_are_kept(long: DataDirectory) -> None:
    directory = own_directory(long.socket_directory("redis"))
    (directory / "other").touch()
    long.remove_socket_directories()
    assert (directory / "other").exists()
    (directory / "other").unlink()
    long.remove_socket_directories()
    assert not directory.exists()


def test_what_an_earlier_release_left_open_is_closed(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "data")
    folder = data.redis / "appendonlydir"
    folder.mkdir(parents=True)
    data.logs.mkdir()
    left = [folder / "events.aof", data.logs / "redis.log", data.root / "secret-key"]
    for file in left:
        file.touch()
    for path in (data.root, data.redis, folder, data.logs, *left):
        path.chmod(0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch(0o644)
    (data.logs / "link").symlink_to(elsewhere)
    with data.claimed():
        assert {mode(file) for file in left} == {0o600}
        assert {mode(path) for path in (data.redis, folder, data.logs)} == {0o700}
        assert mode(data.root) == (0o700 if os.getuid() else 0o711)
        assert mode(elsewhere) == 0o644


def test_a_link_where_a_socket_directory_would_be_is_not_followed(
    long: DataDirectory, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.mkdir(0o755)
    (target / "redis.sock").touch()
    link = long.socket_directory("redis")
    link.symlink_to(target)
    try:
        with pytest.raises(StandaloneError, match=r"cannot be used.*remove it"):
            own_directory(link)
        long.remove_socket_directories()
        assert mode(target) == 0o755
        assert (target / "redis.sock").exists()
    finally:
        link.unlink()


def test_a_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    target, file = tmp_path / "target", tmp_path / "file"
    target.write_text("kept")
    (tmp_path / "file.new").symlink_to(target)
    write_private(file, "new")
    assert (target.read_text(), file.read_text()) == ("kept", "new")
    assert mode(file) == 0o600


def test_a_directory_that_cannot_be_written_is_reported_in_a_sentence(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "data")
    with data.claimed():
        (data.root / "running.new").mkdir()
        with pytest.raises(StandaloneError, match=r"cannot be used.*Choose another"):
            data.announce(RunningInstance(1, "", {}))
