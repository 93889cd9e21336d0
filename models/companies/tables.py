"""Companies, their users, the history of their fields, and notes on them."""

from peewee import (
    SQL,
    BigIntegerField,
    CompositeKey,
    DateField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    SmallIntegerField,
    TextField,
    UUIDField,
)
from playhouse.postgres_ext import ArrayField, DateTimeTZField

from models.organizations.tables import OrganizationRow
from models.people.tables import PersonRow
from models.table import IdentityField, JsonField, Table


class CompanyRow(Table):
    """One company: its fields, its health, and the state of its evaluation."""

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    external_id = TextField()  # the client's own id
    name = TextField()
    payment_provider = TextField(null=True)
    payment_provider_id = TextField(null=True)
    crm_provider = TextField(null=True)
    crm_provider_id = TextField(null=True)
    traits = JsonField(constraints=[SQL("default '{}'")])  # the custom fields
    # Field -> microseconds since 1970 of the newest event that carried it; null: as of
    # `last_event_at`.
    fields_at = JsonField(constraints=[SQL("default '{}'")])
    # Field -> microseconds since 1970 of its newest entry in `field_changes`.
    fields_changed_at = JsonField(constraints=[SQL("default '{}'")])
    # `since`, `names` and `more` of the fields that are beyond the limits; null: there are none.
    left_out = JsonField(null=True)
    last_event_at = DateTimeTZField(null=True)
    said = UUIDField(null=True)  # the digest of the fields of the newest event
    said_since = DateTimeTZField(null=True)  # since when events have carried those values
    first_seen_at = DateTimeTZField()

    health_status = TextField()
    previous_status = TextField(null=True)
    score = SmallIntegerField(null=True)  # 0 to 100; null if no flag applies
    changed_at = DateTimeTZField(null=True)  # when `health_status` last changed
    recorded_until = DateTimeTZField(null=True)  # the instant of the latest transition
    sequence = BigIntegerField(default=0)  # the number of the latest transition

    judged_version = IntegerField(default=0)  # the rules that its flags were evaluated with
    # Which definition of the score and other results its row has; see `EVALUATION_REVISION`.
    evaluation_revision = SmallIntegerField(constraints=[SQL("default 3")])
    # By the clock of the database; since then, its forecast may be another one.
    evaluated_at = DateTimeTZField(null=True)
    unsettled_since = DateTimeTZField(null=True)  # the oldest event that is not evaluated yet
    # Imported events up to this instant are not judged yet; null: there are none.
    history_until = DateTimeTZField(null=True)
    # Until when records were stored that may have overtaken others of the company in the journal.
    unordered_until = DateTimeTZField(null=True)
    awaiting = ArrayField(TextField, index=False, constraints=[SQL("default '{}'")])
    """The flags whose level an event can change."""

    # What lists show; see `rules.team`. `raised` lists the raised flags with their statuses, worst
    # first; null: not derived yet.
    owner = TextField(null=True)
    value = DecimalField(18, 2, null=True)
    renews_on = DateField(null=True)
    raised = JsonField(null=True, constraints=[SQL("default '[]'")])

    left_on = DateField(null=True)  # when it left, unless a later outcome followed
    # The transition up to which `flag_runs` are derived; less than 0 to derive all of them again.
    runs_sequence = BigIntegerField(default=0)

    # Generated: lower-case name and id, and `changed_at` or else `first_seen_at`.
    searched = TextField()
    status_since = DateTimeTZField()

    class Meta:
        table_name = "companies"
        primary_key = CompositeKey("organization", "id")
        indexes = ((("organization", "external_id"), True),)


class UserRow(Table):
    """One user of a company, and their fields."""

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    external_id = TextField()  # the client's own id
    company_id = BigIntegerField()  # the company that was named last
    company_at = DateTimeTZField()  # the time of the newest event, or of `moved_at`
    moved_at = DateTimeTZField(null=True)  # of an update that named a company later than any event
    event_at = DateTimeTZField(null=True)  # of the newest event if `moved_at` is `company_at`
    email = TextField(null=True)
    name = TextField(null=True)
    traits = JsonField(constraints=[SQL("default '{}'")])
    # Field -> microseconds since 1970 of the newest event that carried it; null: as of
    # `company_at`.
    fields_at = JsonField(constraints=[SQL("default '{}'")])
    said = UUIDField(null=True)  # the digest of the fields of the newest event
    left_out = JsonField(null=True)  # as of companies
    first_seen_at = DateTimeTZField()

    class Meta:
        table_name = "users"
        primary_key = CompositeKey("organization", "id")
        indexes = ((("organization", "external_id"), True),)


class FieldChangeRow(Table):
    """The value of a company's field from an instant on. Repeated values have no row."""

    organization_id = BigIntegerField()
    company_id = BigIntegerField()
    field = TextField()
    at = DateTimeTZField()
    value = JsonField(null=True)

    class Meta:
        table_name = "field_changes"
        primary_key = CompositeKey("organization_id", "company_id", "field", "at")


class CompanyNoteRow(Table):
    """A note that a person wrote about a company."""

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    company_id = BigIntegerField()
    person = ForeignKeyField(PersonRow)  # the author
    at = DateTimeTZField()
    text = TextField()
    edited_at = DateTimeTZField(null=True)
    form_id = UUIDField(null=True)  # the form that added it

    class Meta:
        table_name = "company_notes"
        primary_key = CompositeKey("organization", "id")
        indexes = ((("organization", "person", "form_id"), True),)
