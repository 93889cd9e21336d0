"""Makes one attempt to send a message, in transactions of its own before and after the call."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson

from config.smtp import HOST, SmtpSettings
from config.webhook_policy import LEASE
from models.database import UNAVAILABLE
from models.encrypted_secrets import SecretUnreadable, decrypt
from rules.faults import hide_urls
from rules.notify.entries import Service
from services.notifications import email, slack, smtp, teams
from services.notifications.claims import ClaimedMessage, claim
from services.notifications.outcomes import Attempt, Recorded, Verdict, record
from services.rules.rule_books import RuleBooks
from services.times import utc_now
from services.webhooks.transport import Transport

RENDERERS = {Service.SLACK: slack.render, Service.TEAMS: teams.render}

TOO_MANY = 429

NO_DESTINATION = (401, 403, 404, 405, 410)
"""Answers that the URL is not valid any more: no_service, channel_is_archived and others."""

NO_REFUSAL = (408, 425, TOO_MANY)
"""Answers of class 4xx after which the same may be accepted later."""

SHOWN_ANSWER = 200
"""Characters."""

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
"""Between attempts to record an answer while PostgreSQL is unavailable or a row is locked."""


@dataclass(frozen=True)
class Sender:
    """What attempts depend on; `dashboard_url` is the address that messages link to."""

    transport: Transport
    rulebooks: RuleBooks
    secret_keys: Sequence[str] = field(repr=False)
    smtp: SmtpSettings | None
    dashboard_url: str | None

    def send(self, organization_id: int, message_id: UUID) -> Recorded | None:
        """Claim a message, make one attempt and record it; None if it is not its turn.

        If the process ends before the attempt is recorded, it is made again when the lease ends:
        the message may arrive twice, and never not at all.

        Raises:
            OperationalError, InterfaceError: PostgreSQL cannot be reached. The lease expires.
        """
        lease_began = time.monotonic()
        claimed = claim(organization_id, message_id, self.rulebooks, utc_now())
        if claimed is None:
            return None
        return self._record(claimed, self._attempt(claimed, utc_now()), lease_began)

    def _record(
        self, claimed: ClaimedMessage, attempt: Attempt, lease_began: float
    ) -> Recorded | None:
        """Record an attempt, and try again for as long as the lease lasts.

        People read what is sent twice, so an outage that is shorter repeats nothing.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return record(claimed, attempt, utc_now(), self.transport.policy)
            except UNAVAILABLE:
                if time.monotonic() + pause > lease_began + LEASE.total_seconds():
                    raise
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    @property
    def _base_url(self) -> str | None:
        return self.dashboard_url.rstrip("/") if self.dashboard_url else None

    def _attempt(self, claimed: ClaimedMessage, at: datetime) -> Attempt:
        if claimed.destination is None:
            return self._send_email(claimed, at)
        try:
            url = decrypt(claimed.destination.encrypted_url, self.secret_keys)
        except SecretUnreadable as error:
            return Attempt(Verdict.TRY_AGAIN, str(error))
        render = RENDERERS[Service(claimed.message.service)]
        body = orjson.dumps(render(claimed.content, self._base_url))
        answer = self.transport.post(url, body, {})
        if answer.error is None:
            return Attempt(Verdict.ACCEPTED)
        said = " ".join((answer.body or "").split())[:SHOWN_ANSWER]
        why = hide_urls(f"{answer.error}: {said}" if said else answer.error)
        if answer.status_code == TOO_MANY:
            why = f"too many messages at the moment ({why})"
        if answer.stopped:
            return Attempt(Verdict.STOPPED, why)
        return Attempt(_verdict(answer.status_code), why, retry_after=answer.retry_after)

    def _send_email(self, claimed: ClaimedMessage, at: datetime) -> Attempt:
        if self.smtp is None:
            return Attempt(Verdict.REFUSED, f"email is not set up: {HOST} is not set")
        rendered = email.render(
            claimed.content,
            self._base_url,
            message_id=claimed.message.id,
            sender=self.smtp.sender,
            recipient=claimed.address or claimed.message.recipient,
            at=at,
        )
        outcome = smtp.send(self.smtp, rendered, self.transport.policy)
        if outcome.error is None:
            return Attempt(Verdict.ACCEPTED)
        if outcome.stopped:
            return Attempt(Verdict.STOPPED, outcome.error)
        return Attempt(Verdict.REFUSED if outcome.permanent else Verdict.TRY_AGAIN, outcome.error)


def _verdict(status_code: int | None) -> Verdict:
    if status_code is None or status_code in NO_REFUSAL or not 400 <= status_code < 500:
        return Verdict.TRY_AGAIN
    return Verdict.GONE if status_code in NO_DESTINATION else Verdict.REFUSED
