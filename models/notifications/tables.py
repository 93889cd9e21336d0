"""Destinations of notifications, messages to people, and the changes that these are about."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    TextField,
    UUIDField,
)
from playhouse.postgres_ext import DateTimeTZField

from models.organizations.tables import OrganizationRow
from models.table import JsonField, Table


class DestinationRow(Table):
    """A Slack or Teams channel, by the URL that posts to it."""

    organization = ForeignKeyField(OrganizationRow)
    id = UUIDField()
    service = TextField()  # `slack` or `teams`
    name = TextField()  # as rule files name it
    host = TextField()
    encrypted_url = TextField()
    created_at = DateTimeTZField()
    blocked_until = DateTimeTZField(null=True)  # nothing is sent before
    failures = IntegerField(default=0)  # consecutive
    failing_since = DateTimeTZField(null=True)
    last_error = TextField(null=True)  # null after a success
    last_success_at = DateTimeTZField(null=True)
    disabled_at = DateTimeTZField(null=True)
    disabled_because = TextField(null=True)

    class Meta:
        table_name = "notification_destinations"
        primary_key = CompositeKey("organization", "id")
        indexes = ((("organization", "service", "name"), True),)


class MessageRow(Table):
    """One message to one recipient."""

    organization = ForeignKeyField(OrganizationRow)
    id = UUIDField()
    service = TextField()  # `slack`, `teams` or `email`
    recipient = TextField()  # a destination's name, an address, or with `to_owner` an owner
    to_owner = BooleanField()
    schedule = TextField()  # of the entry, in words; else `test` or `mention`
    zone = TextField(null=True)  # the time zone of the entry
    rules_version = IntegerField(null=True)  # that caused all of its changes
    state = TextField()  # `open`, `waiting`, `sent`, `failed` or `cancelled`
    opened_at = DateTimeTZField()
    planned_at = DateTimeTZField()  # when it is to be sent by the schedule
    due_at = DateTimeTZField(null=True)  # of the next attempt; with a lease, its end
    lease_token = UUIDField(null=True)
    number = IntegerField(default=0)  # of changes, once it is closed
    content = JsonField(null=True)  # what it says, once it is closed
    attempts = IntegerField(default=0)
    last_error = TextField(null=True)
    finished_at = DateTimeTZField(null=True)

    class Meta:
        table_name = "notification_messages"
        primary_key = CompositeKey("organization", "id")


class ChangeRow(Table):
    """One change of a company's health that a message is about."""

    organization_id = BigIntegerField()
    message_id = UUIDField()
    transition_id = UUIDField()  # which an import may have replaced since
    company_id = BigIntegerField()
    at = DateTimeTZField()
    from_status = TextField()
    to_status = TextField()
    changes = JsonField()

    class Meta:
        table_name = "notification_changes"
        primary_key = CompositeKey("organization_id", "message_id", "transition_id")
