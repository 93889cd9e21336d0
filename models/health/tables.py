"""Flag states, flag overrides, transitions, and runs of flags of companies."""

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    SmallIntegerField,
    TextField,
    UUIDField,
)
from playhouse.postgres_ext import DateTimeTZField

from models.organizations.tables import OrganizationRow
from models.table import IdentityField, JsonField, Table


class FlagStateRow(Table):
    """The level of one flag of one company, and when time alone may change it."""

    organization_id = BigIntegerField()
    company_id = BigIntegerField()
    flag = TextField()
    status = TextField(null=True)  # null is N/A
    changed_at = DateTimeTZField()
    due_at = DateTimeTZField(null=True)
    moved_at = DateTimeTZField(null=True)  # when `status` or `holding` last changed
    holding = JsonField(constraints=[SQL("default '{}'")])  # status -> since when its phrase holds

    class Meta:
        table_name = "flag_states"
        primary_key = CompositeKey("organization_id", "company_id", "flag")


class FlagOverrideRow(Table):
    """A flag of a company that is snoozed or set by a person; the row stays when that is over."""

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    company_id = BigIntegerField()
    flag = TextField()
    kind = TextField()  # `snooze` or `override`
    status = TextField(null=True)  # null for a snooze
    reason = TextField()
    owner = TextField()
    made_by = TextField()
    starts_at = DateTimeTZField()
    ends_at = DateTimeTZField(null=True)  # as planned; null: until someone ends it
    ended_at = DateTimeTZField(null=True)  # when it really ended
    ended_by = TextField(null=True)  # a person, `time` or `rules`
    ended_because = TextField(null=True)
    start_recorded = BooleanField(default=False)  # in the company's status and history
    end_recorded = BooleanField(default=False)
    due_at = DateTimeTZField(null=True)  # generated: when the next of the two is to be recorded

    class Meta:
        table_name = "flag_overrides"
        primary_key = CompositeKey("organization", "id")


class TransitionRow(Table):
    """One change of a company's status or flags."""

    id = UUIDField()
    organization_id = BigIntegerField()
    company_id = BigIntegerField()
    sequence = BigIntegerField()  # 1, 2, ... for each company
    at = DateTimeTZField()
    from_status = TextField()
    to_status = TextField()
    cause = TextField()
    changes = JsonField()  # the changed flags: `flag`, `from`, `to`, `threshold`, maybe `reason`
    rules_version = IntegerField()
    recorded_at = DateTimeTZField()
    score = IntegerField(null=True)  # null if no flag applied, and in rows older than the column
    position = BigIntegerField(null=True)  # in the feed; null until a reader asks for it

    class Meta:
        table_name = "transitions"
        primary_key = CompositeKey("organization_id", "id")
        indexes = ((("organization_id", "company_id", "sequence"), True),)


class FlagRunRow(Table):
    """The time for which a flag of a company was raised without interruption."""

    organization_id = BigIntegerField()
    company_id = BigIntegerField()
    flag = TextField()  # empty for the company's status
    raised_at = DateTimeTZField()
    cleared_at = DateTimeTZField(null=True)

    class Meta:
        table_name = "flag_runs"
        primary_key = CompositeKey("organization_id", "company_id", "flag", "raised_at")


class ForecastRow(Table):
    """How far the forecast of an organization is up to date; see `models.health.forecasts`."""

    organization = ForeignKeyField(OrganizationRow, primary_key=True)
    asked_at = DateTimeTZField()
    as_of = DateTimeTZField(null=True)
    evaluated_until = DateTimeTZField(null=True)
    complete_at = DateTimeTZField(null=True)
    finished_at = DateTimeTZField(null=True)
    refresh_at = DateTimeTZField(null=True)
    refresh_until = DateTimeTZField(null=True)
    refresh_since = DateTimeTZField(null=True)
    refresh_after = BigIntegerField(null=True)

    class Meta:
        table_name = "forecasts"


class UpcomingChangeRow(Table):
    """A company's changes up to an instant, if no event comes; see `upcoming_changes`."""

    organization = ForeignKeyField(ForecastRow)
    company_id = BigIntegerField()
    at = DateTimeTZField()
    superseded_at = DateTimeTZField()
    direction = SmallIntegerField()
    from_status = TextField()
    worst_status = TextField()
    worst_at = DateTimeTZField()
    to_status = TextField()
    owner = TextField(null=True)
    value = DecimalField(18, 2, null=True)
    cause = TextField()
    flags = JsonField()  # the flags of the change at this instant

    class Meta:
        table_name = "upcoming_changes"
        primary_key = CompositeKey("organization", "company_id", "at")
