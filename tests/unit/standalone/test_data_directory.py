"""What a data directory leaves behind."""

from pathlib import Path

from standalone.data_directory import DataDirectory


def test_sockets_that_lie_elsewhere_leave_no_folder(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / ("long" * 30))
    with data.claimed():
        folders = [data.socket_directory(name) for name in ("postgres", "redis")]
        assert not any(folder.is_relative_to(data.root) for folder in folders)
        for folder in folders:
            folder.mkdir()
    assert not any(folder.exists() for folder in folders)


def test_a_socket_that_a_killed_server_left_is_kept(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / ("long" * 30))
    folder = data.socket_directory("redis")
    with data.claimed():
        folder.mkdir()
        (folder / "redis.sock").touch()
    assert (folder / "redis.sock").exists()
    (folder / "redis.sock").unlink()
    folder.rmdir()
