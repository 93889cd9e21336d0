"""Ends what an `up` that was killed left running, found by a mark in its environment."""

import psutil

MARK = "BRAZEBEE_UP"
"""The variable that every process of ours carries; its value is the data directory."""

STOP_SECONDS = 5.0


def end_leftovers(data_directory: str) -> int:
    """End every process that carries the mark of this data directory; how many there were."""
    found = [process for process in psutil.process_iter() if _mark_of(process) == data_directory]
    for process in found:
        _tell(process, kill=False)
    _, alive = psutil.wait_procs(found, timeout=STOP_SECONDS)
    for process in alive:
        _tell(process, kill=True)
    psutil.wait_procs(alive, timeout=STOP_SECONDS)
    return len(found)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def _tell(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return
