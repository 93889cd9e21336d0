"""An SMTP server on loopback that keeps emails."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller

from config.smtp import SmtpSettings
from tests.support.ports import free_port

FROM = "health@acme.com"


class Mailbox:
    """Keeps emails with their recipients, unless `reply` refuses them.

    While `greets` or `answers` is cleared, it answers no `EHLO`, or no email that it has taken.
    """

    def __init__(self, port: int) -> None:
        self.settings = SmtpSettings("127.0.0.1", FROM, port, "none")
        self.emails: list[tuple[list[str], Message]] = []
        self.reply = "250 OK"
        self.connections = 0
        self.greets = threading.Event()
        self.answers = threading.Event()
        self.greets.set()
        self.answers.set()

    def received(self, recipient: str) -> list[Message]:
        """Return the emails to a recipient."""
        return [email for recipients, email in self.emails if recipient in recipients]

    async def handle_EHLO(  # noqa: N802 -- as aiosmtpd calls it
        self, _server: object, session: Any, _envelope: object, hostname: str, responses: list[str]
    ) -> list[str]:
        """See aiosmtpd."""
        session.host_name = hostname
        self.connections += 1
        await asyncio.to_thread(self.greets.wait)
        return responses

    async def handle_DATA(  # noqa: N802
        self, _server: object, _session: object, envelope: Any
    ) -> str:
        """See aiosmtpd."""
        if self.reply.startswith("250"):
            self.emails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        await asyncio.to_thread(self.answers.wait)
        return self.reply


@contextmanager
def serving_mailbox() -> Iterator[Mailbox]:
    """Serve a mailbox."""
    port = free_port()
    mailbox = Mailbox(port)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        mailbox.greets.set()
        mailbox.answers.set()
        controller.stop()
