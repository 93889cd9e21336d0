"""Outcomes of companies."""

from peewee import BigIntegerField, CompositeKey, DateField, DecimalField, TextField
from playhouse.postgres_ext import DateTimeTZField

from models.table import IdentityField, Table


class OutcomeRow(Table):
    """What became of a company on a day: it left, renewed, grew or shrank."""

    id = IdentityField()
    organization_id = BigIntegerField()
    company_id = BigIntegerField()
    kind = TextField()
    day = DateField()
    amount = DecimalField(18, 2, null=True)
    note = TextField()
    entered_by = TextField()  # a person's email, or what program entered it
    entered_at = DateTimeTZField()
    changed_at = DateTimeTZField()

    class Meta:
        table_name = "outcomes"
        primary_key = CompositeKey("organization_id", "id")
        indexes = ((("organization_id", "company_id", "kind", "day"), True),)
