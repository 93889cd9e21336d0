"""The data directory of `brazebee up`: its layout, its lock, and how other commands find it."""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from standalone.errors import StandaloneError
from standalone.private_files import make_private, remove_own_directory, write_private

DEFAULT_DATA_DIRECTORY = ".brazebee"
DATA_DIRECTORY_VARIABLE = "BRAZEBEE_DATA_DIR"

MAXIMUM_SOCKET_PATH = 100
"""Characters, including the terminating one; systems allow 104 (macOS) to 108 (Linux)."""


_SOCKET_FILES = ("redis.sock", ".s.PGSQL.5432", ".s.PGSQL.5432.lock")
"""What a server that was killed leaves behind."""


@dataclass(frozen=True)
class RunningInstance:
    """What a running `brazebee up` publishes for other commands."""

    pid: int
    base_url: str
    environment: dict[str, str]
    dashboard_url: str | None = None


class DataDirectory:
    """Paths below one directory, which only one `brazebee up` uses at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.postgres = self.root / "postgres"
        self.redis = self.root / "redis"
        self.logs = self.root / "logs"
        self.processes = self.root / "processes.json"
        self._lock_file = self.root / "lock"
        self._running_file = self.root / "running.json"
        self._secret_key_file = self.root / "secret-key"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Lock the directory for this process; the lock ends with the process.

        Raises:
            StandaloneError: another process holds the lock, or the directory cannot be created.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self.unusable(error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = self.running()
            where = f" at {running.base_url} (pid {running.pid})" if running else ""
            raise StandaloneError(
                f"Brazebee is already running on {self.root}{where}."
                " Stop it first, or start another one with --data-dir and --port."
            ) from None
        try:
            self.create()
            yield
        finally:
            self._running_file.unlink(missing_ok=True)
            self.remove_socket_directories()
            os.close(lock)

    def create(self) -> None:
        """Create what is missing, and close everything to other users but PostgreSQL's.

        Raises:
            StandaloneError: that is not possible.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.close_root()
            for directory in (self.redis, self.logs):
                make_private(directory)
            for file in (self._running_file, self._secret_key_file, self.processes):
                if file.exists():
                    file.chmod(0o600)
        except OSError as error:
            raise self.unusable(error) from None

    def close_root(self) -> None:
        """Let no other user list this directory; let root's PostgreSQL, another user, enter it."""
        self.root.chmod(0o700 if os.getuid() else 0o711)

    def announce(self, running: RunningInstance) -> None:
        """Publish the running instance to other commands.

        Raises:
            StandaloneError: the file cannot be written.
        """
        try:
            write_private(self._running_file, json.dumps(asdict(running)))
        except OSError as error:
            raise self.unusable(error) from None

    def running(self) -> RunningInstance | None:
        """Return the instance that runs on this directory; None if there is none, or not yet."""
        if not self._is_claimed():
            return None
        try:
            return RunningInstance(**json.loads(self._running_file.read_text(encoding="utf-8")))
        except (OSError, TypeError, ValueError):
            return None

    def _is_claimed(self) -> bool:
        try:
            with self._lock_file.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def secret_key(self) -> str:
        """Return the key that encrypts webhook secrets here; the first start creates it.

        Raises:
            StandaloneError: the file cannot be read or written.
        """
        try:
            if not self._secret_key_file.exists():
                write_private(self._secret_key_file, Fernet.generate_key().decode())
            return self._secret_key_file.read_text(encoding="ascii").strip()
        except OSError as error:
            raise self.unusable(error) from None

    def remove_socket_directories(self) -> None:
        """Remove the directories outside of this one, after both servers have stopped."""
        for name in ("postgres", "redis"):
            directory = self.socket_directory(name)
            if not directory.is_relative_to(self.root):
                with suppress(OSError):  # it is missing
                    remove_own_directory(directory, _SOCKET_FILES)

    def socket_directory(self, name: str) -> Path:
        """Return the directory of a server's socket: in the data directory unless too long."""
        inside = self.root / name
        if len(str(inside / ".s.PGSQL.5432")) < MAXIMUM_SOCKET_PATH:
            return inside
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"brazebee-{os.getuid()}-{digest}-{name}"

    def unusable(self, error: OSError) -> StandaloneError:
        """Return what to raise if a file in this directory cannot be read or written."""
        return StandaloneError(
            f"The data directory {self.root} cannot be used: {error.strerror}."
            f" Choose another with --data-dir or {DATA_DIRECTORY_VARIABLE}."
        )
