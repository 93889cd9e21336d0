"""Outcomes of companies, and backtests of rules."""

from peewee import (
    BigIntegerField,
    CompositeKey,
    DateField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    TextField,
    UUIDField,
)
from playhouse.postgres_ext import DateTimeTZField

from models.organizations.tables import OrganizationRow
from models.table import IdentityField, JsonField, Table


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


class BacktestRow(Table):
    """A backtest of a draft of rules over all companies, and how far it is."""

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    state = TextField()
    source = TextField()  # the draft
    began_from = IntegerField()  # the version that it is compared with
    since = DateTimeTZField()
    until = DateTimeTZField()
    horizon = IntegerField()  # days before a loss in which a warning counts
    companies = IntegerField()
    last_id = BigIntegerField()  # of the companies to replay
    replayed = IntegerField()
    after_id = BigIntegerField()  # the last company that was replayed
    totals = JsonField(null=True)
    claims = IntegerField()  # since the last step that was saved
    lease_token = UUIDField(null=True)
    lease_until = DateTimeTZField(null=True)
    error = TextField(null=True)
    started_by = TextField()
    started_at = DateTimeTZField()
    finished_at = DateTimeTZField(null=True)

    class Meta:
        table_name = "backtests"
        primary_key = CompositeKey("organization", "id")
