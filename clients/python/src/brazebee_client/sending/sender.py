"""Takes records from the spool and sends them, as fast as the API allows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timezone

from brazebee_client.clocks import Clock
from brazebee_client.records import COMPANY, EVENT, USER
from brazebee_client.sending.answers import Later, Paused, Refused, Settled, Smaller, decide, pace
from brazebee_client.sending.backoff import BackOff
from brazebee_client.sending.transport import Transport, Unreachable
from brazebee_client.spool.refused import Refusal
from brazebee_client.spool.sources import Batch, Record
from brazebee_client.spool.spool import Spool
from brazebee_client.warnings import Warnings

logger = logging.getLogger("brazebee_client")

LOOK_AROUND_SECONDS = 2.0
FLUSH_SECONDS = 0.9  # at each second of the thread
PAUSE_SECONDS = 60.0
"""Seconds between attempts while somebody has to change something, such as the key."""

_ENDPOINTS = {
    EVENT: ("/v1/track/batch", b"events"),
    USER: ("/v1/users/batch", b"users"),
    COMPANY: ("/v1/companies/batch", b"companies"),
}


class Postponed(Exception):
    """Raised when nothing can be sent for a while."""


class Sender:
    """The work of the background thread, in steps. One thread at a time runs it."""

    def __init__(
        self,
        spool: Spool,
        transport: Transport,
        clock: Clock,
        warnings: Warnings,
        on_refused: Callable[[Refusal], object] | None,
    ) -> None:
        self.sent = 0
        self.refused = 0
        self.waiting_for: str | None = None
        self.failed_attempts = 0
        self.pace = 0.0
        self.back_off = BackOff()
        self._spool = spool
        self._transport = transport
        self._clock = clock
        self._warnings = warnings
        self._on_refused = on_refused
        self._batch: Batch | None = None
        self._not_before = 0.0
        self._is_told = False
        self._look_at = 0.0
        self._flush_at = 0.0

    @property
    def pause(self) -> float:
        """Seconds until something may be sent."""
        return max(0.0, self._not_before - self._clock.now())

    def hurry(self) -> None:
        """Try at once, unless the server has said when."""
        if not self._is_told:
            self._not_before = 0.0

    def maintain(self) -> None:
        """Do what is due from time to time."""
        now = self._clock.now()
        if now >= self._flush_at:
            self._spool.flush()
            self._flush_at = now + FLUSH_SECONDS
        if now >= self._look_at:
            moved = self._spool.look_around()
            if moved and self._batch and self._batch.source is self._spool.memory:
                self._batch = None  # its records are on disk now
            self._look_at = now + LOOK_AROUND_SECONDS

    def step(self) -> bool:
        """Send one batch, and return whether there may be more to send at once."""
        if self.pause:
            return False
        self._batch = batch = self._batch or self._spool.read()
        if batch is None:
            return False
        try:
            for kind in _ENDPOINTS:
                self._send([record for record in batch.records if record.kind == kind], batch)
        except Postponed:
            return False
        self._batch = None
        self._spool.done(batch)
        return not batch.is_last

    def _send(self, records: list[Record], batch: Batch) -> None:
        """Send records of one kind, in parts if they are too much.

        Raises:
            Postponed: what is left in the batch has to be sent later.
        """
        parts = [records] if records else []
        while parts:
            part = parts.pop()
            decision = self._post(part)
            if isinstance(decision, Smaller) and len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
                continue
            refused = [decision.refused] if isinstance(decision, Smaller) else decision.refused
            self._refuse(part, refused)
            self.sent += len(part) - len(refused)
            done = set(map(id, part))
            batch.records = [record for record in batch.records if id(record) not in done]

    def _post(self, records: Sequence[Record]) -> Settled | Smaller:
        kind = records[0].kind
        path, name = _ENDPOINTS[kind]
        body = b'{"%b":[%b]}' % (name, b",".join(record.body for record in records))
        try:
            answer = self._transport.post(path, body)
        except Unreachable as error:
            raise self._postponed(Later(str(error))) from error
        logger.debug("%s with %d records: %d", path, len(records), answer.status)
        now = datetime.now(timezone.utc)
        self.pace = pace(answer, now)
        decision = decide(kind, len(records), answer, now)
        if isinstance(decision, (Later, Paused)):
            raise self._postponed(decision)
        if self.waiting_for is not None:
            logger.info("Sending again")
        self.waiting_for, self._is_told = None, False
        self.back_off.reset()
        return decision

    def _postponed(self, decision: Later | Paused) -> Postponed:
        """Note why and until when nothing is sent."""
        self.failed_attempts += 1
        self.waiting_for = decision.reason
        seconds = decision.seconds if isinstance(decision, Later) else None
        pause = self.back_off.next_pause()
        if isinstance(decision, Paused):
            pause = PAUSE_SECONDS
        elif seconds is not None:
            pause = max(seconds, pause if seconds == 0 else 0.0)
        self._is_told = bool(seconds)
        self._not_before = self._clock.now() + pause
        self._warnings.warn(
            f"waiting {decision.reason[:3]}",
            "Nothing can be sent (%s); events stay in the spool, next attempt in %.1f s",
            decision.reason,
            pause,
        )
        return Postponed(decision.reason)

    def _refuse(self, records: Sequence[Record], refused: Sequence[Refused]) -> None:
        if not refused:
            return
        self.keep_refused(
            [Refusal.of(*records[one.index], one.status, one.error, one.details) for one in refused]
        )

    def keep_refused(self, refusals: Sequence[Refusal]) -> None:
        """Keep refusals, log them, and tell the application."""
        self.refused += len(refusals)
        try:
            self._spool.refused.add(refusals)
        except OSError as error:
            self._warnings.warn("refused", "Refused events cannot be kept: %s", error)
        for refusal in refusals:
            self._warnings.warn(
                f"refused {refusal.error}",
                "Refused for good: %s %s. It is kept in %s; client.retry_refused() sends it again",
                refusal.error,
                refusal.details or "",
                self._spool.path,
            )
            if self._on_refused:
                try:
                    self._on_refused(refusal)
                except Exception:  # a fault of the application must not stop the sending
                    logger.exception("on_refused failed")

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()
