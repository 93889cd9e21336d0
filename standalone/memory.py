"""How much memory the embedded PostgreSQL may cache its tables in."""

from contextlib import suppress
from pathlib import Path

import psutil

MEGABYTE = 1024 * 1024
LEAST_MB, MOST_MB = 128, 4096
"""PostgreSQL's own default, and what was measured with a million companies."""

SHARE = 8
"""One part in so many: PostgreSQL's manual advises a fourth where it has the machine to itself."""

CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def shared_buffers_mb() -> int:
    """Megabytes for PostgreSQL's `shared_buffers`; what is not used stays with the machine."""
    memory = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # no container, or one without a limit, which says `max`
        memory = min(memory, int(CONTAINER_LIMIT.read_text(encoding="ascii")))
    return min(max(LEAST_MB, memory // SHARE // MEGABYTE), MOST_MB)
