"""Values of parameters, parts of paths and headers that no page links to, from a seed."""

import json
import random
import sys
from base64 import urlsafe_b64encode
from typing import Any

from models.companies.company_list import Order
from models.cursors import Cursor
from models.health.work_items.item_order import Order as ItemOrder
from models.health.work_items.item_order import Sorting as ItemSorting
from models.health.work_items.item_order import cursor_of

VALUES = (
    "", " ", "0", "-1", "1", "true", "null", "NaN", "1e999", "9" * 19, "-9223372036854775808",
    "9" * 400, "9" * 5_000, "٣", "[", "]", "{}", "[]", '"', "\\", "\\x00", "a\0b", "\ud800",
    "é", "%", "%00", "%ff", "_", "'", "--", "a" * 5_000, "../..", "/", "//a", "http://[::1",
    "\r\n", "\x1b[2J", "\u2028", "-", "-status", "-name",
    "00000000-0000-0000-0000-000000000000", "2026-01-20T10:30:05Z",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "At Risk", "N/A", "c1", "login",
)  # fmt: skip
KEYS = (
    True, False, None, 0, -1, -(2**63), 2**63 - 1, 2**63, 2**64 - 1, 1.5, 1e300, "", "a", "\0",
    "a" * 1_000, "At Risk", [], {}, "2026-01-20T10:30:05+23:59", "2026-01-20T10:30:05-23:59",
    "2026-01-20", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-01-20T10:30:05Z",
    "00000000-0000-0000-0000-000000000000", "{}",
)  # fmt: skip
NAMES = (
    "after", "before", "action", "add_field", "add_value", "against", "by", "company", "field",
    "field.", "field.plan", "field.seats", "field.\0", "flag", "flag_status", "key", "kind",
    "limit", "look", "next", "page", "person", "q", "reason", "search", "sort", "span",
    "state", "status", "until", "webhook", "\0", "%",
)  # fmt: skip
HEADERS = (
    "Accept", "Accept-Language", "Cookie", "Forwarded", "Host", "HX-Current-URL", "HX-Request",
    "Origin", "Range", "If-Modified-Since", "If-None-Match", "Referer", "User-Agent",
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "x-api-key",
)  # fmt: skip
HEADER_VALUES = (
    "", "true", "http://[::1", "http://[", "//[", "https://a:b", "http://a:99999999/",
    "a" * 3_000, "é", "::1", "[::1", "bytes=5-1", "bytes=" + "9" * 400 + "-", "\x1b[2J",
    "=;=;", "session=a; session=b", '"' * 50, ";q=" + "9" * 400,
)  # fmt: skip

PACKAGES = ("models.", "services.")
COMPANY_ORDERS = {
    Order.NAME: ("text", "bigint"),
    Order.STATUS: ("bigint", "timestamptz", "bigint"),
    Order.SCORE: ("bigint", "bigint"),
    Order.SINCE: ("timestamptz", "bigint"),
    Order.LAST_EVENT: ("timestamptz", "bigint"),
}


def cursors() -> list[Cursor]:
    """Return the cursors of every list that has been imported."""
    modules = [each for name, each in sys.modules.items() if name.startswith(PACKAGES)]
    found = {
        thing for each in modules for thing in vars(each).values() if isinstance(thing, Cursor)
    }
    for order, types in COMPANY_ORDERS.items():
        found |= {Cursor(f"{order} {descending}", types) for descending in (False, True)}
    found |= {
        cursor_of(ItemSorting(by, descending)) for by in ItemOrder for descending in (False, True)
    }
    return sorted(found, key=lambda cursor: (cursor.order, cursor.types))


def cursor_text(randomly: random.Random) -> str:
    """Return a cursor with keys of any types, or what is no cursor."""
    cursor = randomly.choice(cursors())
    keys = [randomly.choice(KEYS) for _ in cursor.types]
    content = json.dumps([cursor.order, *keys])
    if randomly.random() < 0.15:
        content = randomly.choice(
            ["[" * 5_000, "{}", "5", content[:-1], content + "]", '["\\ud800"]']
        )
    data = content.encode() + (b"\xff" if randomly.random() < 0.05 else b"")
    text = urlsafe_b64encode(data).decode().rstrip("=")
    return text + randomly.choice(["", "", "", "", "=", "\0", "é", "A"])


def random_query(randomly: random.Random) -> list[tuple[str, str]]:
    """Return some parameters."""
    names = randomly.choices(NAMES, k=randomly.randrange(4))
    return [("after", cursor_text(randomly))] * (randomly.random() < 0.6) + [
        (name, cursor_text(randomly) if name == "after" else randomly.choice(VALUES))
        for name in names
    ]


def random_headers(randomly: random.Random) -> dict[str, Any]:
    """Return some headers."""
    names = randomly.choices(HEADERS, k=randomly.randrange(3))
    return {name: randomly.choice(HEADER_VALUES) for name in names}
