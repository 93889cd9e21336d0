"""Daily figures of an organization, what each company contributes to them, and what to count."""

from peewee import (
    SQL,
    BigIntegerField,
    CompositeKey,
    DateField,
    DecimalField,
    IntegerField,
    TextField,
)

from models.table import JsonField, Table


class PortfolioChangeRow(Table):
    """By how much one figure of an organization changed on a day; their sum is the figure."""

    organization_id = BigIntegerField()
    kind = TextField()  # `status`, `flag` or `at_risk`
    name = TextField()  # of the status or the flag
    day = DateField()
    companies = IntegerField()
    value = DecimalField(24, 2)

    class Meta:
        table_name = "portfolio_changes"
        primary_key = CompositeKey("organization_id", "kind", "name", "day")


class PortfolioCompanyRow(Table):
    """What a company has contributed: its state at the end of each day on which it changed."""

    organization_id = BigIntegerField()
    company_id = BigIntegerField()
    days = JsonField()

    class Meta:
        table_name = "portfolio_companies"
        primary_key = CompositeKey("organization_id", "company_id")


class PortfolioStaleRow(Table):
    """A company whose history changed since it was counted, from a day on."""

    organization_id = BigIntegerField()
    company_id = BigIntegerField()
    since = DateField(constraints=[SQL("default '0001-01-01'")])

    class Meta:
        table_name = "portfolio_stale"
        primary_key = False
        indexes = ((("organization_id",), False),)


class PortfolioBackfillRow(Table):
    """An organization whose companies are all being counted, in the order of their ids."""

    organization_id = BigIntegerField(primary_key=True)
    counted_until = BigIntegerField(default=0)

    class Meta:
        table_name = "portfolio_backfills"
