"""Events, messages that could not be stored as events, and counts of events.

Storing events must not lock rows of other tables, so these tables reference none.
"""

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    CompositeKey,
    DateField,
    IntegerField,
    TextField,
)
from playhouse.postgres_ext import ArrayField, DateTimeTZField, IntervalField

from models.table import IdentityField, JsonField, Table


class EventRow(Table):
    """One event. The primary key makes storing a repeated message a no-op."""

    organization_id = BigIntegerField()
    event_id = TextField()
    company_id = BigIntegerField()
    user_id = BigIntegerField(null=True)
    event_key = TextField()
    occurred_at = DateTimeTZField()
    received_at = DateTimeTZField()
    data = JsonField(null=True)

    class Meta:
        table_name = "events"
        primary_key = CompositeKey("organization_id", "event_id")


class RejectedEventRow(Table):
    """An entry of the journal that cannot be stored as an event, with the reason."""

    id = IdentityField()
    organization_id = BigIntegerField()
    error = TextField()
    rejected_at = DateTimeTZField(constraints=[SQL("default now()")])
    entry = ArrayField(BlobField, index=False)
    journal_id = TextField(null=True)
    company = TextField(null=True)  # the client's own id
    event_id = TextField(null=True)

    class Meta:
        table_name = "rejected_events"
        primary_key = CompositeKey("organization_id", "id")
        indexes = ((("organization_id", "journal_id"), True),)


class WaitingRecordRow(Table):
    """An accepted record of a user whose company is not known yet, as it was in the journal."""

    id = IdentityField()
    organization_id = BigIntegerField()
    user_external_id = TextField()  # the client's own id
    event_key = TextField(null=True)  # null if it is no event
    event_id = TextField(null=True)
    occurred_at = DateTimeTZField()
    since = DateTimeTZField()  # when it was accepted
    entry = ArrayField(BlobField, index=False)

    class Meta:
        table_name = "waiting_records"
        primary_key = CompositeKey("organization_id", "id")


class UnreadableMessageRow(Table):
    """A message whose organization is unknown, with the reason."""

    id = IdentityField()
    set_aside_at = DateTimeTZField(constraints=[SQL("default now()")])
    queue = TextField()
    content = BlobField()
    reason = TextField()
    journal_id = TextField(null=True, unique=True)

    class Meta:
        table_name = "unreadable_messages"


class EventArrivalRow(Table):
    """Events of one key and hour that were stored together and are not in `event_counts` yet.

    It has no key, so that transactions that store events never wait for each other here.
    """

    organization_id = BigIntegerField()
    event_key = TextField()
    hour = DateTimeTZField()
    events = BigIntegerField()
    last_at = DateTimeTZField()

    class Meta:
        table_name = "event_arrivals"
        primary_key = False


class EventCountRow(Table):
    """How many events of a key occurred in an hour."""

    organization_id = BigIntegerField()
    event_key = TextField()
    hour = DateTimeTZField()
    events = BigIntegerField()
    last_at = DateTimeTZField()

    class Meta:
        table_name = "event_counts"
        primary_key = CompositeKey("organization_id", "event_key", "hour")


class EventWeekRow(Table):
    """How many companies and users had events of a key in a week that begins on Monday, UTC."""

    organization_id = BigIntegerField()
    event_key = TextField()
    week = DateField()
    companies = IntegerField(default=0)
    users = IntegerField(default=0)
    counted_at = DateTimeTZField(null=True)  # null until counted for the first time
    took = IntervalField(constraints=[SQL("default '0'")])  # the duration of that count
    touched_at = DateTimeTZField(null=True)  # when the first event since that count arrived

    class Meta:
        table_name = "event_weeks"
        primary_key = CompositeKey("organization_id", "event_key", "week")
