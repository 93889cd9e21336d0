"""The form of a subscription: which health changes are sent to an endpoint."""

from collections.abc import Sequence
from typing import Any

from wtforms import Field, Form, StringField, TextAreaField
from wtforms.validators import ValidationError

from dashboard.web.context import rules_in_force
from dashboard.web.forms import CheckboxesField, required, trimmed
from models.organizations.organizations import Organization
from models.webhooks.webhook_endpoints import Subscription
from services.webhooks.addresses import LONGEST_URL
from services.webhooks.payload import EventType
from services.webhooks.subscriptions import InvalidSubscription, read_fields

MOST_LINES = 1_000

EVENT_TYPES = {
    EventType.HEALTH_SCORE_CHANGED: "The status of a company changes (health_score_changed)",
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
    except InvalidSubscription as error:
        raise ValidationError(f"{error} For example: plan=Enterprise.") from None


class SubscriptionForm(Form):
    """The filters of a subscription. An empty field does not filter."""

    events = CheckboxesField("When")
    statuses = CheckboxesField("Only changes to these statuses")
    companies = TextAreaField(
        "Only these companies",
        [_not_too_many],
        description="Company IDs, one per line. Leave empty for all.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )
    fields = TextAreaField(
        "Only companies with these fields",
        [_not_too_many, _field_lines],
        description="One per line, such as plan=Enterprise. If a field has several values here,"
        " one of them must match. Leave empty for all.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )

    def offer(self, statuses: Sequence[str]) -> None:
        """Set the choices. Call it before the form is validated or shown."""
        self.events.choices = [(str(kind), EVENT_TYPES[kind]) for kind in EventType]
        self.statuses.choices = [(status, status) for status in statuses]

    def subscription(self) -> Subscription:
        """Return the entries as they are stored."""
        return Subscription(
            tuple(self.events.data or ()) or None,
            tuple(self.statuses.data or ()) or None,
            tuple(dict.fromkeys(_lines(self.companies.data))) or None,
            read_fields(_lines(self.fields.data)),
        )


class AddForm(SubscriptionForm):
    """A URL with its subscription."""

    url = StringField(
        "URL",
        [required("a URL")],
        filters=[trimmed],
        description="Each change is sent to this URL as a signed POST request."
        " It must be public and use HTTPS.",
        render_kw={
            "type": "url",
            "autocomplete": "off",
            "maxlength": LONGEST_URL,
            "placeholder": "https://example.com/brazebee",
        },
    )


def form_data(subscription: Subscription) -> dict[str, Any]:
    """Return the form data of a stored subscription."""
    fields = subscription.company_fields or {}
    return {
        "events": list(subscription.event_types or ()),
        "statuses": list(subscription.statuses or ()),
        "companies": "\n".join(subscription.companies or ()),
        "fields": "\n".join(f"{name}={value}" for name in fields for value in fields[name]),
    }


def statuses_to_offer(
    organization: Organization, subscription: Subscription | None = None
) -> list[str]:
    """Return the statuses of the rules, and other statuses in an existing subscription."""
    book = rules_in_force(organization)
    offered = [*(book.statuses if book else ()), *((subscription and subscription.statuses) or ())]
    return list(dict.fromkeys(offered))
