"""The form that says which changes of health an endpoint is to be told of."""

from collections.abc import Sequence
from typing import Any

from wtforms import Field, Form, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from dashboard.web.context import rules_in_force
from dashboard.web.forms import required, trimmed
from models.organizations.organizations import Organization
from models.webhooks.webhook_endpoints import Wanted
from services.webhooks.addresses import LONGEST_URL
from services.webhooks.payload import EventType
from services.webhooks.subscriptions import CannotSubscribe, read_fields

MOST_LINES = 1_000

EVENT_TYPES = {
    EventType.HEALTH_SCORE_CHANGED: "A company comes to another status (health_score_changed)",
    EventType.THRESHOLD_CROSSED: "Only a flag changes (threshold_crossed)",
}


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").split("\n") if line.strip()]


def _not_too_many(_form: object, field: Field) -> None:
    if len(_lines(field.data)) > MOST_LINES:
        raise ValidationError(f"Enter at most {MOST_LINES:,} lines.")


def _field_lines(_form: object, field: Field) -> None:
    try:
        read_fields(_lines(field.data))
    except CannotSubscribe as error:
        raise ValidationError(f"{error} Write for example plan=Enterprise.") from None


class _CheckboxesField(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SubscriptionForm(Form):
    """What is wanted; whatever is left empty does not matter."""

    events = _CheckboxesField("When")
    statuses = _CheckboxesField("Only changes to these statuses")
    companies = TextAreaField(
        "Only these companies",
        [_not_too_many],
        description="Their ids, one on a line. Empty for all.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )
    fields = TextAreaField(
        "Only companies with these fields",
        [_not_too_many, _field_lines],
        description="One on a line, such as plan=Enterprise. Of several values of one field,"
        " a company must have one. Empty for all.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )

    def offer(self, statuses: Sequence[str]) -> None:
        """Offer what there is; must come before the form is validated or shown."""
        self.events.choices = [(str(kind), EVENT_TYPES[kind]) for kind in EventType]
        self.statuses.choices = [(status, status) for status in statuses]

    def wanted(self) -> Wanted:
        """What the form says, as it is stored."""
        return Wanted(
            tuple(self.events.data or ()) or None,
            tuple(self.statuses.data or ()) or None,
            tuple(dict.fromkeys(_lines(self.companies.data))) or None,
            read_fields(_lines(self.fields.data)),
        )


class AddForm(SubscriptionForm):
    """A URL to subscribe, and what it is to be told of."""

    url = StringField(
        "URL",
        [required("a URL")],
        filters=[trimmed],
        description="Each change is sent there as a signed POST. It must be public, and https.",
        render_kw={
            "type": "url",
            "autocomplete": "off",
            "maxlength": LONGEST_URL,
            "placeholder": "https://example.com/brazebee",
        },
    )


def filled(wanted: Wanted) -> dict[str, Any]:
    """What is wanted, as the form's entries."""
    fields = wanted.company_fields or {}
    return {
        "events": list(wanted.event_types or ()),
        "statuses": list(wanted.statuses or ()),
        "companies": "\n".join(wanted.companies or ()),
        "fields": "\n".join(f"{name}={value}" for name in fields for value in fields[name]),
    }


def statuses_to_offer(organization: Organization, wanted: Wanted | None = None) -> list[str]:
    """The statuses of the rules, and those that an endpoint is subscribed to all the same."""
    book = rules_in_force(organization)
    offered = [*(book.statuses if book else ()), *((wanted and wanted.statuses) or ())]
    return list(dict.fromkeys(offered))
