"""The forms in which events are exported, and how one row of each is read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from cli.errors import CommandError
from cli.event_imports.columns import Columns, map_columns
from cli.event_imports.sources import Kind as SourceKind
from cli.event_imports.sources import Source, sample_of
from cli.event_imports.times import read_time
from formats import amplitude, mixpanel, posthog, segment
from formats.record import Kind, Record, UnreadableRecord

_OF_SEGMENT = ("messageId", "originalTimestamp", "anonymousId", "userId")
"""Keys of a Segment call; each call has at least one of them."""

SAMPLED = 50
"""The rows by which a form is guessed."""


class Form(StrEnum):
    """The form of the rows of a file."""

    BRAZEBEE = "brazebee"
    """Objects as `POST /v1/track` takes them."""
    TABLE = "table"
    """Columns that are mapped to the parts of an event; also objects without objects in them."""
    SEGMENT = "segment"
    POSTHOG = "posthog"
    MIXPANEL = "mixpanel"
    AMPLITUDE = "amplitude"


@dataclass(frozen=True)
class Reading:
    """How the rows of one file are read; it is passed between processes."""

    form: Form
    timezone: str = "UTC"
    company: str | None = None
    columns: Columns = field(default_factory=lambda: Columns({}))

    @property
    def seeks_companies(self) -> bool:
        """Whether a user may be known to belong to a company by another record."""
        return self.form not in (Form.BRAZEBEE, Form.TABLE)

    def reader(self, columns: Sequence[str] = ()) -> Callable[[Any], Record | None]:
        """Return a function that reads a row: a list of values if `columns` are given."""
        timezone = zone_of(self.timezone)
        if self.form is Form.TABLE:
            if columns:
                return partial(_read_values, self.columns.split(columns).read, timezone)
            return partial(_read_flat, self.columns, timezone)
        if self.form is Form.BRAZEBEE:
            return partial(_read_own, timezone)
        if self.form is Form.SEGMENT:
            return _read_segment
        if self.form is Form.POSTHOG:
            return _read_posthog
        read = {Form.MIXPANEL: mixpanel.read, Form.AMPLITUDE: amplitude.read}[self.form]
        return partial(read, company=self.company)


def choose_reading(
    source: Source,
    form: Form | None,
    chosen_columns: Mapping[str, str],
    *,
    timezone: str,
    company: str | None,
) -> Reading:
    """Return how to read a source: in a form that was chosen, or that its first rows have.

    Raises:
        CommandError: the form is none of a CSV file, is not clear, or a column is missing.
    """
    if source.kind is SourceKind.CSV:
        if form not in (None, Form.TABLE):
            raise CommandError(
                f"{source.path} is a CSV file; its columns are mapped with --map, and --format"
                f" {form} is for files with one JSON object a line."
            )
        columns = _map(source, source.columns, chosen_columns)
        return Reading(Form.TABLE, timezone, company, columns)
    objects = _first_objects(source)
    guessed = form or _guess(objects)
    if guessed is Form.TABLE:
        names = list(dict.fromkeys(name for row in objects for name in flat(row)))
        return Reading(guessed, timezone, company, _map(source, names, chosen_columns))
    if chosen_columns:
        raise CommandError(f"--map is for tables; {source.path} has events of {guessed}.")
    return Reading(guessed, timezone, company)


def _map(source: Source, names: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    try:
        return map_columns(names, chosen)
    except CommandError as error:
        raise CommandError(f"{source.path}: {error.message}") from None


def _first_objects(source: Source) -> list[Mapping[str, Any]]:
    objects: list[Mapping[str, Any]] = []
    for line in islice(sample_of(source).splitlines(), SAMPLED):
        try:
            value = read_json_line(line)
        except ValueError:
            continue  # perhaps the end of the sample
        if isinstance(value, dict):
            objects.append(value)
    if not objects:
        raise CommandError(f"{source.path}:1: this is not a JSON object.")
    return objects


def _guess(objects: Sequence[Mapping[str, Any]]) -> Form:
    first = objects[0]
    if "event_key" in first and isinstance(first.get("company"), dict):
        return Form.BRAZEBEE
    if first.get("type") in segment.TYPES and not first.keys().isdisjoint(_OF_SEGMENT):
        return Form.SEGMENT
    if "event" in first and "distinct_id" in first and "properties" in first:
        return Form.POSTHOG
    properties = first.get("properties")
    if isinstance(properties, dict) and "event" in first and "time" in properties:
        return Form.MIXPANEL
    if "event_type" in first and ("event_properties" in first or "amplitude_id" in first):
        return Form.AMPLITUDE
    return Form.TABLE


def read_json_line(line: bytes) -> Any:
    """Return the value of a line. NaN and infinities, which only tables have, become null.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        if b"NaN" not in line and b"Infinity" not in line:
            raise
        return json.loads(line, parse_constant=lambda _: None)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with the members of `company`, `user` and `data` beside the others."""
    values: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and name in ("company", "user", "data"):
            values |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            values[name] = value
    return values


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name; UTC as what is fastest."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _time_of(value: Any, timezone: tzinfo) -> Any:
    if value is None:
        raise UnreadableRecord("Required", "time")
    try:
        return read_time(value, timezone)
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadableRecord(str(error), "time") from None


def _read_values(
    read: Callable[[Sequence[Any]], dict[str, Any]], timezone: tzinfo, values: Sequence[Any]
) -> Record:
    return _record(read(values), timezone)


def _read_flat(columns: Columns, timezone: tzinfo, row: Any) -> Record:
    if not isinstance(row, dict):
        raise UnreadableRecord("Expected an object")
    values = flat(row)
    return _record(columns.split(list(values)).read(list(values.values())), timezone)


def _record(parts: Mapping[str, Any], timezone: tzinfo) -> Record:
    return Record(
        Kind.EVENT,
        parts.get("event"),
        parts["company"] or None,
        parts["user"] if "id" in parts["user"] else None,
        parts["data"],
        parts.get("id"),
        _time_of(parts.get("time"), timezone),
    )


def _read_own(timezone: tzinfo, row: Any) -> Record:
    if not isinstance(row, dict):
        raise UnreadableRecord("Expected an object")
    return Record(
        Kind.EVENT,
        row.get("event_key"),
        row.get("company"),
        row.get("user"),
        row.get("data") or {},
        row.get("event_id"),
        _time_of(row.get("timestamp"), timezone),
    )


def _read_segment(call: Any) -> Record | None:
    """Read a call. The time that Segment has corrected takes precedence over that of the sender."""
    if isinstance(call, dict):
        call = {name: value for name, value in call.items() if name != "sentAt"}
        if call.get("timestamp"):
            call.pop("originalTimestamp", None)
    return segment.read(call, datetime.now(UTC))


def _read_posthog(event: Any) -> Record | None:
    """Read an event; in exports of tables, the properties are a text."""
    if isinstance(event, dict) and isinstance(event.get("properties"), str):
        try:
            event = {**event, "properties": orjson.loads(event["properties"])}
        except orjson.JSONDecodeError:
            raise UnreadableRecord("Expected an object", "properties") from None
    return posthog.read(event, datetime.now(UTC))
