from pathlib import Path
from types import SimpleNamespace

import pytest

from standalone import memory

GIGABYTE = 1024


@pytest.mark.parametrize(
    ("machine", "container", "buffers"),
    [
        (64 * GIGABYTE, None, 4096),
        (16 * GIGABYTE, None, 2048),
        (4 * GIGABYTE, None, 512),
        (512, None, 128),
        (64 * GIGABYTE, "max\n", 4096),
        (64 * GIGABYTE, f"{2 * GIGABYTE * 1024 * 1024}\n", 256),
        (4 * GIGABYTE, f"{64 * GIGABYTE * 1024 * 1024}\n", 512),
    ],
)
def test_an_eighth_of_the_memory_within_bounds_is_for_postgresql(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    machine: int,
    container: str | None,
    buffers: int,
) -> None:
    limit = tmp_path / "memory.max"
    if container is not None:
        limit.write_text(container)
    monkeypatch.setattr(memory, "CONTAINER_LIMIT", limit)
    total = SimpleNamespace(total=machine * 1024 * 1024)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: total)
    assert memory.shared_buffers_mb() == buffers
