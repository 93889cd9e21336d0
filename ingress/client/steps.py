"""Handlers that neither block nor know who runs them: they yield what has to be waited for.

A handler is a generator. It yields a step, is sent the step's result or has its error raised, and
returns an answer. So its checks are written once, in one order, for an event loop and for threads.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from queues.admissions import AdmissionRequest, Admissions

T = TypeVar("T")


@dataclass(frozen=True)
class Blocking:
    """A call that may block, on PostgreSQL for instance."""

    call: Callable[[], Any]


Step = Blocking | AdmissionRequest
Steps = Generator[Step, Any, T]


def run(steps: Steps[T], admissions: Admissions) -> T:
    """Run a handler in this thread and return its answer."""
    try:
        step = next(steps)
        while True:
            try:
                result = step.call() if isinstance(step, Blocking) else admissions.admit(step)
            except Exception as error:  # noqa: BLE001 -- the handler decides what it means
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as done:
        answer: T = done.value
        return answer
