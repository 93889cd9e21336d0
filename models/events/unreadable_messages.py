"""Messages whose organization is unknown, kept with the reasons for the operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.cursors import Cursor
from models.database import execute, query


@dataclass(frozen=True)
class UnreadableMessage:
    """A message that was set aside, and the queue that it was in."""

    id: int
    set_aside_at: datetime
    queue: str
    reason: str


_COLUMNS = "id, set_aside_at, queue, reason"
_NEWEST_FIRST = Cursor("unreadable_messages", ("bigint",))


def add(queue: str, content: bytes, reason: str, *, journal_id: str | None) -> None:
    """Keep a message; one with a `journal_id` that is kept already is not added again."""
    execute(
        "insert into unreadable_messages (queue, content, reason, journal_id)"
        " values (%(queue)s, %(content)s, %(reason)s, %(journal_id)s)"
        " on conflict (journal_id) do nothing",
        {"queue": queue, "content": content, "reason": reason, "journal_id": journal_id},
    )


def read_page(
    *, after: str | None = None, limit: int
) -> tuple[list[UnreadableMessage], str | None]:
    """Return the newest messages, and the cursor of the next page.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    rows = query(
        f"select {_COLUMNS} from unreadable_messages where true"
        f"{_NEWEST_FIRST.condition(['id'], after, descending=True)}"
        " order by id desc limit %(limit)s",
        {**_NEWEST_FIRST.read(after), "limit": limit + 1},
    )
    messages = [UnreadableMessage(**row) for row in rows[:limit]]
    return messages, _NEWEST_FIRST.next_page(rows, limit, "id")


def find(message_id: int) -> tuple[UnreadableMessage, bytes] | None:
    """Return one message with its content."""
    rows = query(
        f"select {_COLUMNS}, content from unreadable_messages where id = %(id)s",
        {"id": message_id},
    )
    if not rows:
        return None
    content = bytes(rows[0].pop("content"))
    return UnreadableMessage(**rows[0]), content


def count() -> tuple[int, int]:
    """Return the number of messages, and the id of the newest; 0 if there is none."""
    [row] = query("select count(*) as number, coalesce(max(id), 0) as id from unreadable_messages")
    return int(row["number"]), int(row["id"])


def delete(ids: Sequence[int]) -> int:
    """Delete messages and return their number."""
    return execute(
        "delete from unreadable_messages where id = any(%(ids)s::bigint[])", {"ids": list(ids)}
    )


def delete_until(message_id: int) -> int:
    """Delete the messages up to and including this one, and return their number."""
    return execute("delete from unreadable_messages where id <= %(id)s", {"id": message_id})
