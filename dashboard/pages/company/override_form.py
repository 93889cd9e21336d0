"""The form to snooze or override a flag."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from wtforms import DateField, Form, SelectField, StringField
from wtforms.validators import Length, Optional

from dashboard.web.forms import choice, one_line, required, trimmed
from services.health.overrides import LONGEST_OWNER, LONGEST_REASON

SNOOZE = "snooze"
"""The choice that is not a status; the values of statuses begin with `=`."""

LENGTHS = {
    "1": "in 1 day",
    "3": "in 3 days",
    "7": "in 1 week",
    "14": "in 2 weeks",
    "30": "in 30 days",
    "90": "in 90 days",
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
        description="Until the end of the day, in UTC.",
    )
    reason = _text("Reason", "a reason", LONGEST_REASON, description="Why, for your colleagues.")
    owner = _text("Owner", "an owner", LONGEST_OWNER, description="Who is responsible for it.")

    def offer(self, statuses: tuple[str, ...]) -> "OverrideForm":
        """Offer a snooze and these statuses as choices."""
        self.counts.choices = [
            choice(SNOOZE, "is snoozed: it does not count and sends no notifications"),
            *(choice(f"={status}", f"counts as {status}") for status in statuses),
        ]
        return self

    @property
    def status(self) -> str | None:
        """The chosen status, None for a snooze."""
        chosen = str(self.counts.data)
        return None if chosen == SNOOZE else chosen.removeprefix("=")

    def until(self, at: datetime) -> datetime | None:
        """Return when it ends, None if it must be ended manually; add errors where invalid."""
        if self.ends.data in LENGTHS:
            return at + timedelta(days=int(self.ends.data))
        if self.ends.data == MANUALLY:
            if self.status is None:
                self.ends.errors = ["A snooze needs an end. Choose one."]
            return None
        if self.day.data is None:
            self.day.errors = ["Choose a date."]
            return None
        if self.day.data < at.date():
            self.day.errors = ["This date is in the past."]
        elif self.day.data > (at + FARTHEST).date():
            self.day.errors = ["Choose a date within the next ten years."]
        else:
            return datetime.combine(self.day.data, time(), UTC) + timedelta(days=1)
        return None
