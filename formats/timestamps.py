"""Parses the timestamps of clients."""

import re
from datetime import UTC, datetime, timedelta

_ISO_8601 = re.compile(
    r"\d{4}-?\d{2}-?\d{2}"
    r"([T ](?P<hour>\d{2})(?P<minute>:?\d{2})((?P<second>:?\d{2})(?P<fraction>[.,]\d+)?)?"
    r"(Z|[+-]\d{2}(:?\d{2}){0,2})?)?",
    re.ASCII | re.IGNORECASE,
)
"""`fromisoformat` accepts any character for the `T`, and so reads a date's offset as a time."""


def parse_timestamp(text: str) -> datetime:
    """Return an ISO 8601 time in UTC; a time without an offset is in UTC.

    24:00 is the end of a day, and a leap second is taken as the second after it.

    Raises:
        ValueError, OverflowError: it is not such a time.
    """
    match = _ISO_8601.fullmatch(text)
    if match is None:
        raise ValueError("it is not an ISO 8601 time")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = _at_the_end(text, match)
    if at.tzinfo is UTC:
        return at
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _at_the_end(text: str, match: re.Match[str]) -> datetime:
    """Return a time at the end of a day or of a minute, which `fromisoformat` does not know."""
    hour, second = match["hour"], match["second"] or ""
    rest = (match["minute"] or "") + second + (match["fraction"] or "")
    if hour == "24" and not rest.strip("0:.,"):
        earlier, missing = _with(text, match, "hour", "23"), timedelta(hours=1)
    elif second.endswith("60"):
        earlier, missing = _with(text, match, "second", f"{second[:-2]}59"), timedelta(seconds=1)
    else:
        raise ValueError("there is no such time")
    return datetime.fromisoformat(earlier) + missing


def _with(text: str, match: re.Match[str], group: str, replacement: str) -> str:
    return text[: match.start(group)] + replacement + text[match.end(group) :]
