"""Messages as emails, in plain text and HTML."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from uuid import UUID

from services.notifications.content import Content, Line, shorten

LONGEST_SUBJECT = 200
"""Characters."""


def render(
    content: Content,
    base_url: str | None,
    *,
    message_id: UUID,
    sender: str,
    recipient: str,
    at: datetime,
) -> EmailMessage:
    """Return an email; its `Message-ID` is the same for every attempt."""
    domain = sender.rpartition("@")[2]
    email = EmailMessage(policy=SMTP)
    email["Subject"] = shorten(content.title, LONGEST_SUBJECT)
    email["From"] = Address("Brazebee", addr_spec=sender)
    email["To"] = Address(addr_spec=recipient)
    email["Date"] = format_datetime(at)
    email["Message-ID"] = f"<{message_id}@{domain}>"
    email["Auto-Submitted"] = "auto-generated"
    email.set_content(_text(content, base_url))
    email.add_alternative(_html(content, base_url), subtype="html")
    return email


def _text(content: Content, base_url: str | None) -> str:
    parts = [content.title, content.context, ""]
    for line in content.lines:
        parts += [f"{line.company}: {line.change}", f"  {line.reason}" if line.reason else ""]
        parts += [f"  {', '.join(filter(None, [line.facts, line.at]))}"]
        parts += [f"  {base_url}{line.path}" if base_url else "", ""]
    if content.others:
        parts += [_others(content), ""]
    if base_url:
        parts.append(f"Open in Brazebee: {base_url}{content.path}")
    text = "\n".join(part for number, part in enumerate(parts) if part or not parts[number - 1])
    return text.rstrip() + "\n"


def _html(content: Content, base_url: str | None) -> str:
    lines = "".join(_row(line, base_url) for line in content.lines)
    others = f"<p>{escape(_others(content))}</p>" if content.others else ""
    link = (
        f'<p><a href="{escape(base_url + content.path)}">Open in Brazebee</a></p>'
        if base_url
        else ""
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(content.title)}</title></head>"
        '<body style="font: 14px/1.5 sans-serif; color: #1c1c1c; max-width: 640px">'
        f'<h1 style="font-size: 20px; margin: 0">{_isolated(content.title)}</h1>'
        f'<p style="color: #666; margin: 0 0 16px">{escape(content.context)}</p>'
        f"{lines}{others}{link}</body></html>"
    )


def _row(line: Line, base_url: str | None) -> str:
    name = _isolated(line.company)
    linked = f'<a href="{escape(base_url + line.path)}">{name}</a>' if base_url else name
    details = ", ".join(filter(None, [line.facts, line.at]))
    return (
        f'<p style="margin: 0 0 12px"><strong>{linked}</strong> {escape(line.change)}<br>'
        + (f"{_isolated(line.reason)}<br>" if line.reason else "")
        + f'<span style="color: #666">{_isolated(details)}</span></p>'
    )


def _isolated(text: str) -> str:
    """Return a text that may be written from right to left, as HTML."""
    return f"<bdi>{escape(text)}</bdi>"


def _others(content: Content) -> str:
    return f"and {content.others:,} {'other' if content.others == 1 else 'others'}"
