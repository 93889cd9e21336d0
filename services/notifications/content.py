"""What a message says, independent of the service that it is sent by: a title and a line a company.

It is composed once, when the message is closed, so that each attempt sends the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from models.notifications.message_log import ChangeOfMessage
from models.notifications.messages import Message
from rules.durations import pluralize
from rules.statuses import NOT_APPLICABLE
from rules.wording.names import is_visible
from services.health.recorded_steps import explaining_steps
from services.page_addresses import segment

MOST_LINES = 100
"""The most companies that a message lists."""

LONGEST_REASON = 160
LONGEST_NAME = 120
"""Characters."""

_MOST_FLAGS = 2

_JOINER = "\N{ZERO WIDTH JOINER}"
"""Joins the parts of an emoji."""


@dataclass(frozen=True)
class Line:
    """A change of one company; the texts are for people, `path` is that of its page."""

    company: str
    path: str
    change: str
    reason: str
    facts: str
    at: str


@dataclass(frozen=True)
class Content:
    """The parts of a message; `others` is how many changes it does not list, `path` shows all."""

    title: str
    context: str
    lines: tuple[Line, ...]
    others: int
    path: str

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Content":
        """Return what was stored."""
        lines = tuple(Line(**line) for line in stored["lines"])
        return cls(**{**stored, "lines": lines})


@dataclass(frozen=True)
class Setting:
    """What a message depends on besides its changes: the organization and the statuses in force."""

    organization: str
    statuses: Sequence[str]
    zone: str


def compose(
    message: Message,
    listed: Sequence[ChangeOfMessage],
    counts: Mapping[str, tuple[int, int]],
    setting: Setting,
) -> Content:
    """Compose a message about changes; `counts` are those of all, by the status afterwards."""
    number = sum(changes for changes, _ in counts.values())
    return Content(
        _title(listed, counts, number),
        _context(message, setting),
        tuple(_line(change, setting) for change in listed),
        number - len(listed),
        _path(setting, list(counts)),
    )


def compose_test(organization: str, name: str) -> Content:
    """Compose a test message."""
    return Content(
        "This is a test",
        f"Health changes of the companies of {organization} can be sent to {name}.",
        (),
        0,
        f"/o/{segment(organization)}/",
    )


def _title(
    listed: Sequence[ChangeOfMessage], counts: Mapping[str, tuple[int, int]], number: int
) -> str:
    if number == 1 and listed:
        [change] = listed
        name = _name(change)
        if change.from_status == change.to_status:
            return f"{name} stays {change.to_status}"
        return f"{name} is {change.to_status}"
    if len(counts) == 1:
        [(status, (changes, companies))] = counts.items()
        if changes == companies:
            return f"{pluralize(f'{companies:,}', 'company is', 'companies are')} {status}"
    return pluralize(f"{number:,}", "health change", "health changes")


def _context(message: Message, setting: Setting) -> str:
    parts = [setting.organization]
    if message.rules_version is not None:
        parts.append(f"because of version {message.rules_version} of the rules")
    if message.schedule.startswith("digest "):
        parts.append(message.schedule)
    return ", ".join(parts)


def _line(change: ChangeOfMessage, setting: Setting) -> Line:
    if change.from_status == change.to_status:
        what = f"stays {change.to_status}"
    else:
        what = f"{change.from_status} → {change.to_status}"
    facts = [
        f"{amount(change.value)}" if change.value is not None else "",
        f"owner {shorten(change.owner, LONGEST_NAME)}" if change.owner else "",
        f"renews {change.renews_on.day} {change.renews_on:%b %Y}" if change.renews_on else "",
    ]
    return Line(
        _name(change),
        f"/o/{segment(setting.organization)}/companies/{segment(change.company)}",
        what,
        shorten(reason(change, setting.statuses), LONGEST_REASON),
        ", ".join(filter(None, facts)),
        local_time(change.at, setting.zone),
    )


def _name(change: ChangeOfMessage) -> str:
    """Return the name of a company, or its id if nothing of the name can be seen."""
    name = change.name if any(map(is_visible, change.name)) else change.company
    return shorten(name, LONGEST_NAME).strip()


def reason(change: ChangeOfMessage, statuses: Sequence[str]) -> str:
    """Return why a company's health changed, in a few words: the flags, with their phrases."""
    healthy = {statuses[0] if statuses else "", NOT_APPLICABLE}
    steps = explaining_steps(change.changes, change.from_status, change.to_status, statuses)
    words = [
        f"{step['flag']} no longer raised" if step["to"] in healthy else _why(step)
        for step in steps[:_MOST_FLAGS]
    ]
    more = len(steps) - _MOST_FLAGS
    return "; ".join(words) + (f"; {more} more" if more > 0 else "")


def _why(step: Mapping[str, Any]) -> str:
    """Return a raised flag with why it has its status: the fact, or else the phrase of the rule."""
    phrase: str = step["threshold"]
    return f"{step['flag']}: {step.get('reason') or f'{phrase[:1].lower()}{phrase[1:]}'}"


def _path(setting: Setting, statuses: Sequence[str]) -> str:
    organization = f"/o/{segment(setting.organization)}"
    if len(statuses) == 1:
        return f"{organization}/companies?{urlencode({'status': statuses[0]})}"
    return f"{organization}/"


def local_time(at: datetime, zone: str) -> str:
    """Return an instant in a time zone, such as `Mon 23 Nov 09:14`; UTC is named."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %H:%M}{' UTC' if zone == 'UTC' else ''}"


def amount(value: Decimal) -> str:
    """Return what a company is worth, without decimals that are zero."""
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"


def shorten(text: str, length: int) -> str:
    """Return a text on one line of at most this length, with an ellipsis if it is cut."""
    line = "".join(c if c.isprintable() or c == _JOINER else " " for c in text)
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"
