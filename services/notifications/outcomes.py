"""Records an attempt to send a message, in a transaction of its own, and what follows from it."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from config.webhook_policy import WebhookPolicy
from models.database import transaction
from models.notifications import destinations, messages
from models.notifications.destinations import Destination
from models.notifications.messages import Message, Result, State
from services.notifications.claims import ClaimedMessage
from services.webhooks.retry_schedule import asked_delay, next_attempt_at

logger = logging.getLogger("brazebee.notifications")

BETWEEN_MESSAGES = timedelta(seconds=1)
"""Slack takes one message a second from a webhook."""

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=30)
"""How long nothing is sent to a destination after a failure; it doubles with each in a row."""


class Verdict(Enum):
    """What an attempt shows."""

    ACCEPTED = "accepted"
    TRY_AGAIN = "it may be accepted later"
    REFUSED = "this message never will be"
    GONE = "no message will be"
    STOPPED = "this process stops"


@dataclass(frozen=True)
class Attempt:
    """The outcome of an attempt; `error` is None if the message was accepted."""

    verdict: Verdict
    error: str | None = None
    retry_after: str | None = None


@dataclass(frozen=True)
class Recorded:
    """An attempt of a message, and its state afterwards."""

    message: Message
    attempt: Attempt
    result: Result


def record(
    claimed: ClaimedMessage, attempt: Attempt, now: datetime, policy: WebhookPolicy
) -> Recorded | None:
    """Record an attempt in a transaction of its own; None if its lease was over."""
    message = claimed.message
    with transaction():
        destination = (
            destinations.lock(message.organization_id, claimed.destination.id)
            if claimed.destination
            else None
        )
        result = _result(message, attempt, now, policy)
        if destination is not None:
            result = _after(destination, message, attempt, result, now, policy)
        if not messages.finish(message, claimed.token, result, now):
            return None
    _log(message, attempt, result)
    return Recorded(message, attempt, result)


def _result(message: Message, attempt: Attempt, now: datetime, policy: WebhookPolicy) -> Result:
    if attempt.verdict is Verdict.ACCEPTED:
        return Result(State.SENT)
    if attempt.verdict is Verdict.STOPPED:
        return Result(State.WAITING, attempt.error, now, counts=False)
    if message.is_test or attempt.verdict is Verdict.REFUSED:
        return Result(State.FAILED, attempt.error)
    due_at = next_attempt_at(message.attempts + 1, now, attempt.retry_after, policy)
    if due_at is None:
        return Result(State.FAILED, attempt.error)
    return Result(State.WAITING, attempt.error, due_at)


def _after(
    destination: Destination,
    message: Message,
    attempt: Attempt,
    result: Result,
    now: datetime,
    policy: WebhookPolicy,
) -> Result:
    """Record what an attempt shows of its destination; return the result, which that may change."""
    if attempt.verdict is Verdict.STOPPED:
        destinations.block(destination, now)
        return result
    if attempt.verdict is Verdict.ACCEPTED:
        destinations.save_success(destination, now, blocked_until=now + BETWEEN_MESSAGES)
        return result
    if message.is_test:
        destinations.block(destination, now + BETWEEN_MESSAGES)
        return result
    error = attempt.error or ""
    pause = min(FIRST_PAUSE * 2 ** min(destination.failures, 10), LONGEST_PAUSE)
    pause = max(pause, asked_delay(attempt.retry_after, now, policy))
    refused = attempt.verdict is Verdict.REFUSED  # it is for this message
    destinations.save_failure(
        destination, error, now, blocked_until=now + (BETWEEN_MESSAGES if refused else pause)
    )
    failing_for = now - (destination.failing_since or now)
    if destination.disabled_at is None and (
        attempt.verdict is Verdict.GONE or failing_for >= policy.disable_after
    ):
        reason = (
            error
            if attempt.verdict is Verdict.GONE
            else f"it has failed for {failing_for.days} days: {error}"
        )
        destinations.disable(destination, reason, now)
        logger.error(
            "the %s destination `%s` is disabled: %s; its messages are kept and sent after"
            " `brazebee notify enable`",
            destination.service, destination.name, reason,
        )  # fmt: skip
        return replace(result, state=State.WAITING, due_at=None)
    if result.due_at is not None:
        return replace(result, due_at=max(result.due_at, now + pause))
    return result


def _log(message: Message, attempt: Attempt, result: Result) -> None:
    what = "a test" if message.is_test else f"{message.number or 'changes'}"
    if result.state is State.SENT:
        logger.info("%s sent by %s: message %s", what, message.service, message.id)
    else:
        logger.warning(
            "message %s not sent by %s: %s; %s",
            message.id, message.service, attempt.error,
            "it is tried again" if result.state is State.WAITING else "given up",
        )  # fmt: skip
