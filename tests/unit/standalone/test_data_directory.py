from pathlib import Path

from standalone.data_directory import DataDirectory


def test_socket_directories_outside_the_data_directory_are_removed(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / ("long" * 30))
    with data.claimed():
        directories = [data.socket_directory(name) for name in ("postgres", "redis")]
        assert not any(directory.is_relative_to(data.root) for directory in directories)
        for directory in directories:
            directory.mkdir()
    assert not any(directory.exists() for directory in directories)


def test_a_socket_directory_with_a_killed_servers_socket_is_kept(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / ("long" * 30))
    directory = data.socket_directory("redis")
    with data.claimed():
        directory.mkdir()
        (directory / "redis.sock").touch()
    assert (directory / "redis.sock").exists()
    (directory / "redis.sock").unlink()
    directory.rmdir()
