"""What a condition of a list of companies is about: a column of the list, or a field."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from models.companies.companies import CORE_FIELDS
from models.companies.filters.value_forms import (
    WHITE_SPACE,
    instant_in,
    is_instant,
    is_number,
    number_in,
    trimmed,
)
from models.folding import folded

FIELD = "field."
"""The prefix of subjects that are fields of the company, core or custom ones."""

Kind = Literal["text", "number", "day", "instant", "any"]

COLUMNS: dict[str, tuple[str, Kind]] = {
    "status": ("health_status", "text"),
    "owner": ("owner", "text"),
    "value": ("value", "number"),
    "renewal": ("renews_on", "day"),
    "score": ("score", "number"),
    "since": ("status_since", "instant"),
    "last-event": ("last_event_at", "instant"),
}
"""The columns of the list with their columns in the table, and the kind of their values."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Subject:
    """A subject as SQL over `companies`; `raw` is the text of its value.

    `prefix` distinguishes its parameters from those of others.
    """

    raw: str
    kind: Kind
    column: str | None
    parameters: dict[str, Any]
    prefix: str

    @property
    def json(self) -> str:
        """SQL for the value as `jsonb`."""
        return f"to_jsonb({self.raw})" if self.column else self.raw.replace(">>", ">")

    @property
    def text(self) -> str:
        """SQL for the value as a text without surrounding white space, null if it has none."""
        return trimmed(self.raw) if self.kind == "any" else self.raw

    @property
    def is_empty(self) -> str:
        """SQL for whether there is no value, or a blank text."""
        return f"coalesce({self.text}, '') = ''"

    @property
    def folded(self) -> str:
        """SQL for the value as it is compared with texts."""
        return folded(self.raw, white_space=WHITE_SPACE if self.kind == "any" else "")

    @property
    def number(self) -> str:
        """SQL for the value as a number, null if it is none."""
        if self.kind in ("day", "instant"):
            return "null::numeric"
        if self.kind == "number":
            return f"{self.column}::numeric"
        return number_in(self.text) if self.column else self._number_in_json

    @property
    def is_json_number(self) -> str:
        """SQL for whether the value is a number of JSON, which is quick to read."""
        return "false" if self.column else f"coalesce(jsonb_typeof({self.json}) = 'number', false)"

    @property
    def _number_in_json(self) -> str:
        return (
            f"case when jsonb_typeof({self.json}) = 'number' then ({self.json})::numeric"
            f" when {is_number(self.text)} then ({self.text})::numeric end"
        )

    @property
    def key(self) -> str:
        """SQL for what equal values have in common."""
        return f"coalesce(trim_scale({self.number})::text, {self.folded})"

    def between(self, since: date | None, until: date | None) -> tuple[str, dict[str, Any]]:
        """Return SQL for whether the value is on a day from `since` to the one before `until`.

        Days are in UTC. Its parameters are returned too.
        """
        parameters: dict[str, Any] = {}
        conditions = []
        for name, sign, day in (("since", ">=", since), ("until", "<", until)):
            if day is None:
                continue
            parameter = f"{self.prefix}_{name}"
            parameters[parameter] = (
                day if self.kind == "day" else datetime.combine(day, time(), tzinfo=UTC)
            )
            kind = "date" if self.kind == "day" else "timestamptz"
            conditions.append(f"{sign} %({parameter})s::{kind}")
        if self.kind == "number":
            return "false", {}
        value = self.column if self.kind in ("day", "instant") else instant_in(self.text)
        exact = " and ".join(f"({value}) {condition}" for condition in conditions)
        if self.kind in ("day", "instant"):
            return f"coalesce({exact}, false)", parameters
        near, inside = (_texts_between(self.text, since, until, days) for days in (_DAY, -_DAY))
        sure = f"case when {inside} then {is_instant(self.text)} else coalesce({exact}, false) end"
        return f"(({near}) and {sure})", parameters


def _texts_between(text: str, since: date | None, until: date | None, more: timedelta) -> str:
    """Return SQL for texts of dates in a range with `more` days on both sides, in order of texts.

    The day of a text with an offset is at most one from the day in UTC. So most values are known to
    be outside or inside without being read as dates, which takes several times as long.
    """
    first = "0000-00-00" if since is None else _shifted(since, -more).isoformat()
    last = "9999-99-99" if until is None else _shifted(until, more).isoformat()
    return " or ".join(
        f"({text} collate \"C\" >= '{begin}' and {text} collate \"C\" < '{end}')"
        for begin, end in ((first, last), (first.replace("-", ""), last.replace("-", "")))
    )


def _shifted(day: date, by: timedelta) -> date:
    try:
        return day + by
    except OverflowError:
        return day


def subject(name: str, prefix: str) -> Subject | None:
    """Return the subject of a name, or None if there is none of this name.

    A field within another has dots in its name: `contract.seats`.
    """
    if name in COLUMNS:
        column, kind = COLUMNS[name]
        raw = column if kind == "text" else f"{column}::text"
        if kind == "number":
            raw = f"trim_scale({column}::numeric)::text"
        return Subject(raw, kind, column, {}, prefix)
    field = name.removeprefix(FIELD)
    if not name.startswith(FIELD) or not field:
        return None
    if field in CORE_FIELDS:
        return Subject(field, "any", field, {}, prefix)
    parameter = f"{prefix}_field"
    raw = f"(traits ->> %({parameter})s)"
    parameters: dict[str, Any] = {parameter: field}
    if "." in field:
        raw = f"coalesce({raw}, traits #>> %({parameter}_path)s::text[])"
        parameters[f"{parameter}_path"] = field.split(".")
    return Subject(raw, "any", None, parameters, prefix)
