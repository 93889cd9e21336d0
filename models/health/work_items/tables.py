"""Work items and what people did about them."""

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    DateField,
    DecimalField,
    ForeignKeyField,
    TextField,
    UUIDField,
)
from playhouse.postgres_ext import DateTimeTZField

from models.organizations.tables import OrganizationRow
from models.people.tables import PersonRow
from models.table import IdentityField, JsonField, Table


class WorkItemRow(Table):
    """A raised flag of a company as something to do, from when it is raised until it recovers."""

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    company_id = BigIntegerField()
    flag = TextField()
    status = TextField()  # what the flag counts as, or would without a snooze
    snoozed = BooleanField()  # raised, and an override hides it
    state = TextField(constraints=[SQL("default 'open'")])  # `open`, `seen`, `working` or `done`
    raised_at = DateTimeTZField()
    opened_at = DateTimeTZField()  # when people could first see it
    worse_since = DateTimeTZField(null=True)
    worse_from = TextField(null=True)  # the status before `worse_since`
    touched_at = DateTimeTZField(null=True)  # when somebody first did something about it
    assignee = ForeignKeyField(PersonRow, null=True)  # null: the company's owner
    next_step = TextField(null=True)
    due_on = DateField(null=True)

    # Those of the company until the item is closed.
    owner = TextField(null=True)
    value = DecimalField(18, 2, null=True)
    renews_on = DateField(null=True)
    company_left = BooleanField(constraints=[SQL("default false")])

    closed_at = DateTimeTZField(null=True)
    closed_because = TextField(null=True)
    worth = BigIntegerField()  # generated: hundredths of `value`, least of all if there is none

    class Meta:
        table_name = "work_items"
        primary_key = CompositeKey("organization", "id")


class WorkItemChangeRow(Table):
    """Something that was done about an item."""

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    item_id = BigIntegerField()
    company_id = BigIntegerField()
    at = DateTimeTZField()
    person = ForeignKeyField(PersonRow, null=True)  # null: an API key, or the product itself
    made_by = TextField()
    action = TextField()
    detail = JsonField(constraints=[SQL("default '{}'")])
    batch = UUIDField(null=True)  # shared by the changes of one action on many items

    class Meta:
        table_name = "work_item_changes"
        primary_key = CompositeKey("organization", "id")
