"""Messages as Slack's incoming webhooks take them: Block Kit, within its limits.

Limits: https://docs.slack.dev/reference/block-kit/blocks. All texts of a message together are
limited as well, to about 13,000 characters, which is not documented: `msg_blocks_too_long`.
"""

from typing import Any

from services.notifications.content import Content, Line, shorten

MOST_BLOCKS = 50
LONGEST_HEADER = 150
LONGEST_SECTION = 3_000
LONGEST_MESSAGE = 11_000
"""Characters."""

_OTHER_BLOCKS = 3
"""The header, the context, and the end."""


def render(content: Content, base_url: str | None) -> dict[str, Any]:
    """Return the body of a request; without the dashboard's address there are no links."""
    sections: list[dict[str, Any]] = []
    length = 0
    for line in content.lines:
        text = _section(line, base_url)
        length += len(text)
        if length > LONGEST_MESSAGE or len(sections) == MOST_BLOCKS - _OTHER_BLOCKS:
            break
        sections.append({"type": "section", "text": _mrkdwn(text)})
    others = content.others + len(content.lines) - len(sections)
    title = shorten(content.title, LONGEST_HEADER)
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
        {"type": "context", "elements": [_mrkdwn(escape(content.context))]},
        *sections,
    ]
    if end := _end(others, content, base_url):
        blocks.append({"type": "context", "elements": [_mrkdwn(end)]})
    return {"text": escape(title), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escape(text: str) -> str:
    """Escape what begins links, mentions and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(line: Line, base_url: str | None) -> str:
    name = escape(line.company)
    linked = f"<{base_url}{line.path}|{name}>" if base_url else name
    rows = [
        f"*{linked}*  {escape(line.change)}",
        escape(line.reason),
        f"{escape(line.facts)}{', ' if line.facts else ''}{escape(line.at)}",
    ]
    return "\n".join(filter(None, rows))[:LONGEST_SECTION]


def _end(others: int, content: Content, base_url: str | None) -> str:
    words = f"and {others:,} {'other' if others == 1 else 'others'}" if others else ""
    link = f"<{base_url}{content.path}|Open in Brazebee>" if base_url else ""
    return ". ".join(filter(None, [words, link]))


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}
