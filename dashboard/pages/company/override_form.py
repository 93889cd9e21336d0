"""The form to snooze or override a flag."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import DateField, Form, SelectField, StringField
from wtforms.validators import Length, Optional

from dashboard.web.forms import choice, one_line, required, trimmed
from rules.durations import pluralize
from services.health.overrides import LONGEST_OWNER, LONGEST_REASON
from services.time_zones import start_of_day
from services.work_items import snoozes

SNOOZE = "snooze"
"""The choice that is not a status; the values of statuses begin with `=`."""

LENGTHS = {
    str(days): "in " + (pluralize(days, "day") if days % 7 else pluralize(days // 7, "week"))
    for days in snoozes.DAYS
}
ON_DATE, MANUALLY = "day", "hand"
ENDS = {**LENGTHS, ON_DATE: "on a date", MANUALLY: "when ended manually"}
FARTHEST = timedelta(days=3650)


def _text(label: str, what: str, longest: int, **options: Any) -> StringField:
    checks = [
        required(what),
        Length(max=longest, message=f"Use at most {longest} characters."),
        one_line,
    ]
    render = {"maxlength": longest, "autocomplete": "off"}
    return StringField(label, checks, filters=[trimmed], render_kw=render, **options)


class OverrideForm(Form):
    """What a flag counts as, until when, why, and who is responsible for it."""

    counts = SelectField("This flag")
    ends = SelectField(
        "Ends",
        choices=[choice(value, text) for value, text in ENDS.items()],
        default="7",
    )
    day = DateField(
        "Date",
        [Optional()],
        description="Until the end of the day in your time zone.",
    )
    reason = _text("Reason", "a reason", LONGEST_REASON, description="Why, for your colleagues.")
    owner = _text("Owner", "an owner", LONGEST_OWNER, description="Who is responsible for it.")

    def offer(self, statuses: tuple[str, ...]) -> "OverrideForm":
        """Offer a snooze and these statuses as choices."""
        self.counts.choices = [
            choice(SNOOZE, "Snooze: does not count"),
            *(choice(f"={status}", f"Counts as {status}") for status in statuses),
        ]
        return self

    @property
    def status(self) -> str | None:
        """The chosen status, None for a snooze."""
        chosen = str(self.counts.data)
        return None if chosen == SNOOZE else chosen.removeprefix("=")

    def until(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when it ends, None if it must be ended manually; add errors where invalid.

        A date is one of the editor's time zone.
        """
        if self.ends.data in LENGTHS:
            return at + timedelta(days=int(self.ends.data))
        if self.ends.data == MANUALLY:
            if self.status is None:
                self.ends.errors = ["A snooze needs an end. Choose one."]
            return None
        if self.day.data is None:
            self.day.errors = ["Choose a date."]
            return None
        if self.day.data < at.astimezone(zone).date():
            self.day.errors = ["This date is in the past."]
        elif self.day.data > (at + FARTHEST).astimezone(zone).date():
            self.day.errors = ["Choose a date within the next ten years."]
        else:
            return start_of_day(self.day.data + timedelta(days=1), zone)
        return None
