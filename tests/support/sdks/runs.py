"""Runs the drivers of SDKs side by side against a running product, and collects what they tell."""

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.sdks.calls import Call, Plan
from tests.support.sdks.installed import Sdk

READY_SECONDS = 60.0


@dataclass
class Run:
    """One SDK with the calls it made and what its driver told about them, by number of the call."""

    sdk: Sdk
    plan: Plan
    calls: Sequence[Call]
    made_at: dict[int, float] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)
    """Everything else that it printed, such as errors."""
    fault: str = ""
    """What went wrong with the driver itself."""

    @property
    def expected_events(self) -> int:
        """Return how many of the calls are events that have to be stored."""
        return sum(call.is_event for call in self.calls)

    def take(self, line: str) -> None:
        """Take one line of the driver."""
        try:
            told: dict[str, Any] = json.loads(line)
        except ValueError:
            self.said.append(line)
            return
        if "at" in told:
            self.made_at[told["n"]] = told["at"]
        if told.get("id"):
            self.ids[told["n"]] = told["id"]
        if "lost" in told:
            self.lost[told["n"]] = told["lost"]
        if "answers" in told:
            self.answers.update(told["answers"])
        if "rejection" in told or "error" in told:
            self.said.append(line)


class Driver:
    """The process of one SDK."""

    def __init__(self, run: Run, url: str, key: str) -> None:
        self.run = run
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            run.sdk.command,
            env=run.sdk.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        calls = [call.as_json() for call in run.calls]
        self._write(json.dumps({"url": url, "key": key, "calls": calls}))

    def wait_until_ready(self) -> None:
        assert self._ready.wait(READY_SECONDS), self._failure("is not ready")

    def go(self) -> None:
        with suppress(BrokenPipeError):  # it has ended, which is noticed later
            self._write("go")

    def wait(self, until: float) -> None:
        """Wait until it has flushed and ended, or note that it has not."""
        try:
            code = self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.run.fault = self._failure("did not end")
            return
        self._reader.join()
        if code != 0:
            self.run.fault = self._failure(f"ended with {code}")

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # of what it has not read
            self._process.stdin.close()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if '"ready"' in line:
                    self._ready.set()
                else:
                    self.run.take(line.rstrip("\n"))
        self._ready.set()

    def _failure(self, what: str) -> str:
        return "\n".join([f"{self.run.sdk.title} {what}", *self.run.said[-20:]])


def run_drivers(
    runs: Sequence[Run],
    url: str,
    keys: Mapping[str, str],
    *,
    seconds: float,
    meanwhile: Callable[[], None],
) -> None:
    """Let every SDK make its calls at once, do something `meanwhile`, and wait until all flushed.

    `keys` are API keys by the prefix of a run. After `seconds`, it is an SDK's fault.
    """
    drivers = [Driver(run, url, keys[run.plan.prefix]) for run in runs]
    try:
        for driver in drivers:
            driver.wait_until_ready()
        for driver in drivers:
            driver.go()
        meanwhile()
        until = time.monotonic() + seconds
        for driver in drivers:
            driver.wait(until)
    finally:
        for driver in drivers:
            driver.end()
