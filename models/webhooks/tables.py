"""Webhook endpoints, deliveries to them, and delivery attempts."""

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    TextField,
    UUIDField,
)
from playhouse.postgres_ext import ArrayField, DateTimeTZField, IntervalField

from models.organizations.tables import OrganizationRow
from models.table import JsonField, Table


class WebhookEndpointRow(Table):
    """A subscribed URL, its subscription, and the state of its circuit."""

    id = UUIDField()
    organization = ForeignKeyField(OrganizationRow)
    url = TextField()
    encrypted_secret = TextField()  # empty once the endpoint is removed
    former_encrypted_secret = TextField(null=True)  # also signs, until `former_secret_until`
    former_secret_until = DateTimeTZField(null=True)
    created_at = DateTimeTZField(constraints=[SQL("default now()")])
    removed_at = DateTimeTZField(null=True)

    # The subscription; null is no restriction.
    event_types = ArrayField(TextField, index=False, null=True)
    statuses = ArrayField(TextField, index=False, null=True)  # only changes to one of these
    companies = ArrayField(TextField, index=False, null=True)  # the clients' own ids
    company_fields = JsonField(null=True)  # field -> accepted values

    disabled_at = DateTimeTZField(null=True)
    disabled_because = TextField(null=True)
    failures = IntegerField(default=0)  # consecutive
    failing_since = DateTimeTZField(null=True)  # the first failure since a success
    warned_at = DateTimeTZField(null=True)  # when the failures were last reported
    probe_at = DateTimeTZField(null=True)  # null while the circuit is closed
    probe_pause = IntervalField(null=True)  # doubled by the next failed probe
    refusals = IntegerField(default=0)  # probes refused in a row since a pause
    last_success_at = DateTimeTZField(null=True)

    class Meta:
        table_name = "webhook_endpoints"
        primary_key = CompositeKey("organization", "id")


class DeliveryRow(Table):
    """A transition to deliver to an endpoint, or a test message."""

    id = UUIDField()
    organization_id = BigIntegerField()
    endpoint_id = UUIDField()
    transition_id = UUIDField(null=True)  # null for a test message
    message_id = TextField()
    payload = TextField()  # the exact text that is signed and sent
    state = TextField()  # `waiting`, `delivered`, `failed`, `paused` or `cancelled`
    attempts = IntegerField(default=0)  # those of the schedule
    tries = IntegerField(default=0)  # all, with probes, tests and manual ones
    parked = BooleanField(default=False)  # waits until its endpoint has capacity
    by_hand = TextField(null=True)  # `at once` or `recovery`; null follows the schedule
    next_attempt_at = DateTimeTZField(null=True)  # while waiting; with a lease, its end
    lease_token = UUIDField(null=True)
    created_at = DateTimeTZField()
    finished_at = DateTimeTZField(null=True)

    class Meta:
        table_name = "deliveries"
        primary_key = CompositeKey("organization_id", "id")
        indexes = ((("organization_id", "endpoint_id", "transition_id"), True),)


class DeliveryAttemptRow(Table):
    """One HTTP request of a delivery, and its outcome."""

    delivery_id = UUIDField()
    attempt = IntegerField()
    organization_id = BigIntegerField()
    at = DateTimeTZField()
    duration_ms = IntegerField()
    status_code = IntegerField(null=True)  # null if there was no response
    error = TextField(null=True)  # null if it was accepted
    response = TextField(null=True)

    class Meta:
        table_name = "delivery_attempts"
        primary_key = CompositeKey("organization_id", "delivery_id", "attempt")
