"""The data directory of `brazebee up`: what lies where, who may use it, and how others find it."""

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

DEFAULT = ".brazebee"
VARIABLE = "BRAZEBEE_DATA_DIR"

LONGEST_SOCKET_PATH = 100
"""Characters, the terminating one included; systems allow 104 (macOS) to 108 (Linux)."""


@dataclass(frozen=True)
class Running:
    """What a running `brazebee up` tells other commands."""

    pid: int
    base_url: str
    environment: dict[str, str]
    dashboard_url: str | None = None


class DataDirectory:
    """Paths below one directory, which only one `up` uses at a time."""

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
        """Hold the directory for this process; the lock goes when the process does.

        Raises:
            StandaloneError: another process holds it, or it cannot be made.
        """
        try:
            for directory in (self.root, self.redis, self.logs):
                directory.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StandaloneError(
                f"The data directory {self.root} cannot be used: {error.strerror}."
                f" Name another with --data-dir or {VARIABLE}."
            ) from None
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
            yield
        finally:
            self._running_file.unlink(missing_ok=True)
            self._leave_no_socket_directories()
            os.close(lock)

    def announce(self, running: Running) -> None:
        """Let other commands find the running servers."""
        written = self._running_file.with_suffix(".new")
        written.touch(mode=0o600)
        written.write_text(json.dumps(asdict(running)), encoding="utf-8")
        written.replace(self._running_file)

    def running(self) -> Running | None:
        """The `up` that runs on this directory, as far as it is told."""
        if not self._is_claimed():
            return None
        try:
            return Running(**json.loads(self._running_file.read_text(encoding="utf-8")))
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
        """The key that encrypts webhook secrets here, made on the first start."""
        if not self._secret_key_file.exists():
            written = self._secret_key_file.with_suffix(".new")
            written.touch(mode=0o600)
            written.write_text(Fernet.generate_key().decode(), encoding="ascii")
            written.replace(self._secret_key_file)
        return self._secret_key_file.read_text(encoding="ascii").strip()

    def _leave_no_socket_directories(self) -> None:
        for name in ("postgres", "redis"):
            elsewhere = self.socket_directory(name)
            if not elsewhere.is_relative_to(self.root):
                with suppress(OSError):  # a server that was killed left its socket
                    elsewhere.rmdir()

    def socket_directory(self, name: str) -> Path:
        """Where a server's socket goes: below the data directory, if its path is not too long."""
        here = self.root / name
        if len(str(here / ".s.PGSQL.5432")) < LONGEST_SOCKET_PATH:
            return here
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"brazebee-{os.getuid()}-{digest}-{name}"
