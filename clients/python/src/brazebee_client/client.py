"""The client that applications use."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from brazebee_client.clocks import Clock
from brazebee_client.configuration import Configuration
from brazebee_client.records import Fields, track_record, user_and_company_records
from brazebee_client.sending.sender import Sender
from brazebee_client.sending.transport import Transport
from brazebee_client.spool.refused import Refusal
from brazebee_client.spool.spool import Kept, Spool
from brazebee_client.warnings import Warnings

logger = logging.getLogger("brazebee_client")

LARGEST_RECORD = 32 * 1024
"""Bytes of an event or update that the API takes."""

FULL_BATCH = 100
TICK_SECONDS = 1.0
"""How often the thread flushes to the disk and looks around, at least."""

_URGENT_SECONDS = 0.01


@dataclass(frozen=True)
class Statistics:
    """What one process has done since it started; `waiting_for` is why nothing can be sent."""

    recorded: int
    sent: int
    refused: int
    dropped: int
    not_on_disk: int
    failed_attempts: int
    waiting_for: str | None


class Client:
    """Records events on disk and sends them in the background.

    Calls neither wait for the network nor raise because of network or disk. Make one client when
    the application starts; it may be made before the application forks, and used by all threads.

    Args:
        url: the address of Brazebee; by default `BRAZEBEE_URL`.
        api_key: a key with the scope `send`; by default `BRAZEBEE_API_KEY`.
        spool_dir: where events wait; by default `BRAZEBEE_SPOOL_DIR`, else a directory of the user
            for this address and key. Use one for each organization, which survives a deploy.
        disabled: check the calls and send nothing; by default `BRAZEBEE_DISABLED`.
        on_refused: is called, in the background, with each `Refusal`.
        max_spool_bytes: size at which further events are dropped, with a warning.
        sync: when events are flushed to the disk, for a power cut: `"interval"` (each second),
            `"always"` (before a call returns) or `"never"`. None is lost if the process ends.
        flush_interval: seconds for which events are gathered before they are sent.
        request_timeout: seconds without an answer after which a request has failed.
        exit_timeout: seconds for which the end of the process may wait for sending.

    Raises:
        InvalidConfiguration: there is no address or key, or an argument has no meaning.
    """

    def __init__(  # noqa: PLR0913 -- options, passed by name
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        spool_dir: str | os.PathLike[str] | None = None,
        disabled: bool | None = None,
        on_refused: Callable[[Refusal], object] | None = None,
        max_spool_bytes: int = 100_000_000,
        sync: str = "interval",
        flush_interval: float = 2.0,
        request_timeout: float = 10.0,
        exit_timeout: float = 3.0,
        _clock: Clock | None = None,
    ) -> None:
        self._configuration = Configuration.read(
            url,
            api_key,
            spool_dir,
            disabled,
            max_spool_bytes=max_spool_bytes,
            sync=sync,
            flush_interval=flush_interval,
            request_timeout=request_timeout,
            exit_timeout=exit_timeout,
        )
        self._clock = _clock or Clock()
        self._on_refused = on_refused
        self._warnings = Warnings()
        self._spool = Spool(self._configuration.spool_dir, max_spool_bytes, sync, self._warnings)
        self._start_over()
        if not self._configuration.disabled:
            _clients.add(self)
            if self._spool.has_records():
                self._wake()

    def _start_over(self) -> None:
        """Begin without a thread and with all counts at zero: at first, and in a forked child."""
        read = self._configuration
        self._pid = os.getpid()
        transport = Transport(read.url, read.api_key, read.request_timeout)
        self._sender = Sender(self._spool, transport, self._clock, self._warnings, self._on_refused)
        self._condition = threading.Condition(threading.RLock())
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = self._is_urgent = False
        self._next_at = self._clock.now() + read.flush_interval
        self._recorded = self._dropped = self._not_on_disk = self._unsent = 0

    def track(
        self,
        event_key: str,
        *,
        company: Fields,
        user: Fields | None = None,
        data: Fields | None = None,
        timestamp: datetime | str | None = None,
        event_id: str | None = None,
    ) -> str:
        """Record that something happened, and return the id of the event.

        Args:
            event_key: the kind of the event, as the rules list it.
            company: its `id`, its `name`, and any other fields.
            user: its `id` and any other fields; None if no user did it.
            data: about the event itself.
            timestamp: when it happened, with a time zone; now by default.
            event_id: your own id of the event, which is counted once; a new one by default.

        Raises:
            InvalidCall: an argument is missing or is no JSON.
        """
        own_id, record = track_record(event_key, company, user, data, timestamp, event_id)
        self._record([record])
        return own_id

    def identify(
        self,
        user: Fields,
        company: Fields | None = None,
        *,
        timestamp: datetime | str | None = None,
    ) -> None:
        """Record fields of a user, and the company to which the user belongs.

        Raises:
            InvalidCall: an argument is missing or is no JSON.
        """
        records = user_and_company_records({} if user is None else user, company, timestamp)
        self._record(records)

    def group(
        self,
        company: Fields,
        user: Fields | None = None,
        *,
        timestamp: datetime | str | None = None,
    ) -> None:
        """Record fields of a company, and a user who belongs to it.

        Raises:
            InvalidCall: an argument is missing or is no JSON.
        """
        records = user_and_company_records(user, {} if company is None else company, timestamp)
        self._record(records)

    def flush(self, timeout: float = 10.0) -> bool:
        """Send what was recorded before this call, and wait for it.

        Returns:
            Whether all of it is sent or refused. What is not stays in the spool.
        """
        if self._configuration.disabled:
            return True
        return self._flush(timeout, give_up=False)

    def close(self, timeout: float | None = None) -> bool:
        """Send what is recorded, at most for `exit_timeout` seconds, and stop sending.

        Later calls are still kept in the spool, for the next process.

        Returns:
            Whether all of it is sent or refused. What is not stays in the spool.
        """
        if self._configuration.disabled:
            return True
        self._renew_after_fork()
        is_done = self._flush(
            self._configuration.exit_timeout if timeout is None else timeout, give_up=True
        )
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        if self._sending.acquire(timeout=0.2):  # else a request is still waiting for its answer
            try:
                self._sender.close()
                self._spool.flush()
                self._spool.close()
            finally:
                self._sending.release()
        return is_done

    def refused(self) -> list[Refusal]:
        """Return the refusals that the spool keeps, of all its processes, the oldest first."""
        return [] if self._configuration.disabled else list(self._spool.refused)

    def retry_refused(self) -> int:
        """Record all refused events again, after their cause was mended; return how many."""
        count = 0
        if not self._configuration.disabled:
            for records, file in self._spool.refused.take_all():
                if records and not self._record(records):
                    break
                file.unlink(missing_ok=True)
                count += len(records)
        return count

    @property
    def statistics(self) -> Statistics:
        """What this process has done since it started."""
        sender = self._sender
        return Statistics(
            self._recorded,
            sender.sent,
            sender.refused,
            self._dropped,
            self._not_on_disk,
            sender.failed_attempts,
            sender.waiting_for,
        )

    def _record(self, records: Sequence[bytes]) -> bool:
        """Keep records; False if there is no place for them. It never raises."""
        if self._configuration.disabled:
            return True
        self._renew_after_fork()
        if max(map(len, records)) > LARGEST_RECORD + 2:
            self._refuse_large(records)
            return True
        kept = self._spool.add(records)
        if kept is Kept.NOWHERE:
            self._dropped += len(records)
            self._warnings.warn(
                "dropped", "The spool is full: events are dropped (%d so far)", self._dropped
            )
            return False
        self._recorded += len(records)
        if kept is Kept.IN_MEMORY:
            self._not_on_disk += len(records)
        self._unsent += len(records)
        if self._thread is None or self._unsent >= FULL_BATCH:
            self._wake()
        return True

    def _refuse_large(self, records: Sequence[bytes]) -> None:
        """Refuse at once what the API would refuse; the rest is recorded."""
        for record in records:
            if len(record) <= LARGEST_RECORD + 2:
                self._record([record])
                continue
            error = f"An event is at most {LARGEST_RECORD // 1024} KB"
            refusal = Refusal.of(record[:1], record[2:], 0, error, {"bytes": len(record) - 2})
            self._sender.keep_refused([refusal])

    def _wake(self) -> None:
        """Let the thread send now; start it if it does not run yet."""
        with self._condition:
            if self._thread is None and not self._is_closed:
                thread = threading.Thread(target=self._run, name="brazebee-client", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the interpreter is about to end, or there are too many
                    logger.debug("No thread can be started; events stay in the spool")
                    return
                self._thread = thread
                _close_with_multiprocessing(self)
            self._condition.notify_all()

    def _run(self) -> None:
        """Send until the client is closed. This is the thread."""
        condition = self._condition
        while not self._is_closed:
            try:
                has_more = self._work()
            except Exception:  # sending must go on, whatever happened
                has_more = False
                logger.exception("Sending failed; it goes on in a few seconds")
                self._sender.back_off.next_pause()
            with condition:
                condition.notify_all()  # those who wait for a flush
                if not has_more and not self._is_closed:
                    self._clock.wait(condition, self._seconds_to_wait())

    def _work(self) -> bool:
        """Send one batch if it is time; return whether there may be more to send at once."""
        with self._sending:
            if self._is_closed:
                return False
            self._sender.maintain()
            now = self._clock.now()
            if now < self._next_at and not self._is_urgent and self._unsent < FULL_BATCH:
                return False
            self._unsent = 0
            if self._sender.step():
                return True
            self._next_at = now + max(self._configuration.flush_interval, self._sender.pace)
            return False

    def _seconds_to_wait(self) -> float:
        """Return how long the thread gathers further records, or waits to try again."""
        pause = self._sender.pause
        if not pause and self._is_urgent:
            self._is_urgent = not self._spool.is_done(self._spool.position())
            return _URGENT_SECONDS
        return min(pause or max(self._next_at - self._clock.now(), 0.0), TICK_SECONDS)

    def _flush(self, timeout: float, *, give_up: bool) -> bool:
        """Wait until everything is done, time is up, or, with `give_up`, an attempt has failed."""
        self._renew_after_fork()
        position, failed = self._spool.position(), self._sender.failed_attempts
        if self._spool.is_done(position):
            return True
        deadline = self._clock.now() + timeout
        self._is_urgent = True
        self._sender.hurry()
        self._wake()
        while not (is_done := self._spool.is_done(position)):
            seconds = deadline - self._clock.now()
            has_failed = self._sender.failed_attempts > failed
            if seconds <= 0 or (give_up and (has_failed or self._sender.pause > seconds)):
                break
            if not self._has_thread() and self._step_here(seconds):
                continue
            with self._condition:
                self._clock.wait(self._condition, min(seconds, 0.02))
        return is_done

    def _has_thread(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and not self._is_closed

    def _step_here(self, seconds: float) -> bool:
        """Send in the thread of the caller, since there is no other."""
        if not self._sending.acquire(timeout=seconds):
            return False
        try:
            return self._sender.step()
        finally:
            self._sending.release()

    def _renew_after_fork(self) -> None:
        if os.getpid() != self._pid:
            self._forget_after_fork()

    def _forget_after_fork(self) -> None:
        """Begin anew in a child; what the parent recorded remains the parent's."""
        self._warnings.forget_after_fork()
        self._spool.forget_after_fork()
        self._start_over()


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


_forking: list[Client] = []


def _before_fork() -> None:
    for client in _clients:
        client._spool.before_fork()  # noqa: SLF001 -- of this module
        _forking.append(client)


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop()._spool.after_fork()  # noqa: SLF001


def _after_fork_in_child() -> None:
    while _forking:
        _forking.pop()._forget_after_fork()  # noqa: SLF001


def _close_with_multiprocessing(client: Client) -> None:
    """Close a client at the end of a child of multiprocessing, which calls no exit handlers."""
    util, process = map(sys.modules.get, ("multiprocessing.util", "multiprocessing.process"))
    if util and process and process.parent_process() is not None:
        util.Finalize(None, _close, args=(weakref.ref(client),), exitpriority=0)


def _close(reference: weakref.ref[Client]) -> None:
    client = reference()
    if client is not None:
        client.close()


def _at_exit() -> None:
    for client in list(_clients):
        client.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
atexit.register(_at_exit)
