"""Sizes the shared buffers of the embedded PostgreSQL."""

from contextlib import suppress
from pathlib import Path

import psutil

MEGABYTE = 1024 * 1024
MINIMUM_MB, MAXIMUM_MB = 128, 4096
"""PostgreSQL's own default, and the size measured with a million companies."""

MEMORY_DIVISOR = 8
"""An eighth of the memory; PostgreSQL's manual advises a quarter on a dedicated machine."""

CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def shared_buffers_mb() -> int:
    """Return megabytes for `shared_buffers`; the operating system keeps pages that stay unused."""
    memory = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # no container, or one without a limit (`max`)
        memory = min(memory, int(CONTAINER_LIMIT.read_text(encoding="ascii")))
    return min(max(MINIMUM_MB, memory // MEMORY_DIVISOR // MEGABYTE), MAXIMUM_MB)
