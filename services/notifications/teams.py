"""Messages as workflows of Microsoft Teams take them: an Adaptive Card, within 28 KB.

Limits: https://learn.microsoft.com/microsoftteams/limits-specifications-teams.
"""

import re
from typing import Any

import orjson

from services.notifications.content import Content, Line

LARGEST_BODY = 25_000
"""Bytes; some of the 28 KB are for what the workflow adds."""

_MARKDOWN = re.compile(r"([\\*_\[\]])")
"""What has a meaning within a line; cards know no other Markdown there."""


def render(content: Content, base_url: str | None) -> dict[str, Any]:
    """Return the body of a request; without the dashboard's address there are no links."""
    items: list[dict[str, Any]] = []
    size = 0
    for line in content.lines:
        item = _item(line, base_url)
        size += len(orjson.dumps(item))
        if size > LARGEST_BODY - 4_000:
            break
        items.append(item)
    others = content.others + len(content.lines) - len(items)
    body = [
        _text(content.title, weight="Bolder", size="Large"),
        _text(content.context, isSubtle=True, spacing="None"),
        *items,
    ]
    if others:
        body.append(_text(f"and {others:,} {'other' if others == 1 else 'others'}", isSubtle=True))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "full"},
    }
    if base_url:
        open_url = {"type": "Action.OpenUrl", "title": "Open in Brazebee"}
        card["actions"] = [{**open_url, "url": f"{base_url}{content.path}"}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _item(line: Line, base_url: str | None) -> dict[str, Any]:
    name = _plain(line.company)
    linked = f"[{name}]({base_url}{line.path})" if base_url else name
    details = ", ".join(filter(None, [line.facts, line.at]))
    head = {
        "type": "TextBlock",
        "text": f"**{linked}**  {_plain(line.change)}",
        "wrap": True,
    }
    reason = [_text(line.reason, spacing="None")] if line.reason else []
    return {
        "type": "Container",
        "spacing": "Medium",
        "items": [head, *reason, _text(details, isSubtle=True, spacing="None")],
    }


def _text(text: str, **options: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": _plain(text), "wrap": True, **options}


def _plain(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
