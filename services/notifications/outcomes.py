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
from services.notifications.destinations import resume_messages
from services.webhooks.retry_schedule import asked_delay, next_attempt_at

logger = logging.getLogger("brazebee.notifications")

BETWEEN_MESSAGES = timedelta(seconds=1)
"""Slack takes one message a second from a webhook."""

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=30)
"""How long nothing is sent to a destination after a failure; it doubles with each in a row."""

LONGEST_PAUSE_OF_TEST = timedelta(seconds=5)
"""A test is sent once more if it was too soon by so much; somebody waits for its result."""


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
        if destination is not None and message.is_test:
            _after_test(destination, claimed, attempt, now, policy)
        elif destination is not None:
            result = _after(destination, message, attempt, result, now, policy)
        if destination is not None and destination.blocked_until is not None:
            messages.give_turns(destination, destination.blocked_until, now)
        if not messages.finish(message, claimed.token, result, now):
            return None
    _log(message, attempt, result, destination)
    return Recorded(message, attempt, result)


def _result(message: Message, attempt: Attempt, now: datetime, policy: WebhookPolicy) -> Result:
    if attempt.verdict is Verdict.ACCEPTED:
        return Result(State.SENT)
    if attempt.verdict is Verdict.STOPPED:
        return Result(State.WAITING, attempt.error, now, counts=False)
    if message.is_test and attempt.retry_after and not message.attempts:
        wait = asked_delay(attempt.retry_after, now, policy)
        if wait <= LONGEST_PAUSE_OF_TEST:
            return Result(State.WAITING, attempt.error, now + max(wait, BETWEEN_MESSAGES))
    if message.is_test or attempt.verdict is Verdict.REFUSED:
        return Result(State.FAILED, attempt.error)
    due_at = next_attempt_at(message.attempts + 1, now, attempt.retry_after, policy)
    if due_at is None:
        return Result(State.FAILED, attempt.error)
    return Result(State.WAITING, attempt.error, due_at)


def _after_test(
    destination: Destination,
    claimed: ClaimedMessage,
    attempt: Attempt,
    now: datetime,
    policy: WebhookPolicy,
) -> None:
    """Record what a test shows of its destination: only its success changes the state of that."""
    if attempt.verdict is Verdict.ACCEPTED:
        _save_success(destination, now)
        return
    next_at = now + max(BETWEEN_MESSAGES, asked_delay(attempt.retry_after, now, policy))
    former = claimed.destination.blocked_until if claimed.destination else None
    destinations.block(destination, max(former or next_at, next_at))


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
        _save_success(destination, now)
        return result
    error = attempt.error or ""
    pause = min(FIRST_PAUSE * 2 ** min(destination.failures, 10), LONGEST_PAUSE)
    pause = max(pause, asked_delay(attempt.retry_after, now, policy))
    refused = attempt.verdict is Verdict.REFUSED  # it is for this message
    destinations.save_failure(
        destination, error, now, blocked_until=now + (BETWEEN_MESSAGES if refused else pause)
    )
    if attempt.verdict is Verdict.TRY_AGAIN and not _takes_others(destination, message):
        # The destination is away: it is disabled at last, and its messages are kept.
        result = replace(result, state=State.WAITING, due_at=result.due_at or now)
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
            " `brazebee notify enable` or `replace-url`",
            destination.service, destination.name, reason,
        )  # fmt: skip
        return replace(result, state=State.WAITING, due_at=None)
    if result.due_at is not None:
        return replace(result, due_at=max(result.due_at, now + pause))
    return result


def _save_success(destination: Destination, now: datetime) -> None:
    """Record a success; after a failure, what waits because of it is sent now."""
    next_at = now + BETWEEN_MESSAGES
    destinations.save_success(destination, now, blocked_until=next_at)
    if destination.failures:
        resume_messages(destination, next_at)


def _takes_others(destination: Destination, message: Message) -> bool:
    """Whether a destination has accepted another message since this one was to be sent."""
    success = destination.last_success_at
    return success is not None and success > message.planned_at


def _log(
    message: Message, attempt: Attempt, result: Result, destination: Destination | None
) -> None:
    """Log an attempt; a failed one with since when its destination has failed."""
    to = message.service + (f" to `{destination.name}`" if destination else "")
    if result.state is State.SENT:
        logger.info("message %s sent by %s", message.id, to)
        return
    since = destination.failing_since if destination else None
    logger.warning(
        "message %s not sent by %s%s: %s; %s",
        message.id, to, f", which fails since {since:%Y-%m-%d %H:%M} UTC" if since else "",
        attempt.error, _what_follows(result),
    )  # fmt: skip


def _what_follows(result: Result) -> str:
    if result.state is State.FAILED:
        return "it is given up"
    if result.due_at is None:
        return "it is kept until the destination is enabled"
    return f"it is tried again at {result.due_at:%Y-%m-%d %H:%M:%S} UTC"
