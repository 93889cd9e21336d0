"""The present instant, and the format of instants in payloads."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def iso_milliseconds(at: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds, such as `2024-01-20T10:30:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
