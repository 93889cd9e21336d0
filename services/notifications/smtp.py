"""Hands emails to an SMTP server, within a limit of wall-clock time."""

import smtplib
import socket
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from config.smtp import SmtpSettings
from config.webhook_policy import WebhookPolicy
from services.webhooks.deadlines import Deadline
from services.webhooks.transport import tls_context

PERMANENT = range(500, 600)
"""Replies after which repeating the same is of no use (RFC 5321, section 4.2.1)."""


@dataclass(frozen=True)
class SmtpOutcome:
    """What became of an email: `error` is None if the server took it.

    `permanent` means that it never will; `stopped` that this process stops.
    """

    error: str | None = None
    permanent: bool = False
    stopped: bool = False


def send(settings: SmtpSettings, email: EmailMessage, policy: WebhookPolicy) -> SmtpOutcome:
    """Make one attempt. Faults of the server or the network are returned, never raised."""
    deadline = Deadline(policy)
    try:
        _hand_over(settings, email, deadline)
    except smtplib.SMTPRecipientsRefused as error:
        [(code, text)] = error.recipients.values()
        return SmtpOutcome(_reply(code, text), permanent=code in PERMANENT)
    except smtplib.SMTPAuthenticationError as error:
        return SmtpOutcome(f"the user is refused: {_reply(error.smtp_code, error.smtp_error)}")
    except smtplib.SMTPResponseException as error:
        refused = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
        permanent = refused and error.smtp_code in PERMANENT
        return SmtpOutcome(_reply(error.smtp_code, error.smtp_error), permanent=permanent)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        reason = deadline.reason if deadline.passed else _reason(error, deadline)
        return SmtpOutcome(reason, stopped=deadline.stopped)
    finally:
        deadline.cancel()
    return SmtpOutcome()


def _hand_over(settings: SmtpSettings, email: EmailMessage, deadline: Deadline) -> None:
    client = _Client(settings, deadline)
    try:
        client.ehlo()
        if settings.tls == "starttls":
            client.starttls(context=tls_context())
            client.ehlo()
        if settings.user and settings.password:
            client.login(settings.user, settings.password)
        client.send_message(email)
        with suppress(smtplib.SMTPException, OSError):  # the server has taken the email
            client.quit()
    finally:
        client.close()


class _Client(smtplib.SMTP):
    """A client whose connection ends at a deadline."""

    def __init__(self, settings: SmtpSettings, deadline: Deadline) -> None:
        self._settings = settings
        self._deadline = deadline
        super().__init__(settings.host, settings.port, timeout=deadline.connect_seconds)

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        connection = socket.create_connection((host, port), timeout)
        connection.settimeout(self._deadline.seconds)
        self._deadline.watch(connection)
        if self._settings.tls == "tls":
            return tls_context().wrap_socket(connection, server_hostname=host)
        return connection


def _reason(error: Exception, deadline: Deadline) -> str:
    """Return why there is no reply, in words."""
    match error:
        case socket.gaierror():
            return "the host name of the mail server does not resolve"
        case ConnectionRefusedError():
            return "the mail server refuses connections"
        case TimeoutError():
            return f"no connection to the mail server within {deadline.connect_seconds:g} s"
        case smtplib.SMTPServerDisconnected() | ConnectionError():
            return "the mail server closed the connection"
    return str(error) or type(error).__name__


def _reply(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"answered {code} {' '.join(words.split())[:200]}"
