"""API keys and event settings."""

from peewee import SQL, BlobField, BooleanField, CompositeKey, ForeignKeyField, TextField
from playhouse.postgres_ext import ArrayField, DateTimeTZField

from models.organizations.tables import OrganizationRow
from models.table import IdentityField, Table


class ApiKeyRow(Table):
    """One key. Only its digest is stored, never the key itself."""

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    name = TextField()
    sha256 = BlobField()
    last_four = TextField()
    created_at = DateTimeTZField(constraints=[SQL("default now()")])
    last_used_at = DateTimeTZField(null=True)
    revoked_at = DateTimeTZField(null=True)
    scopes = ArrayField(TextField, index=False, constraints=[SQL("default '{send,read}'")])
    scopes_chosen = BooleanField(constraints=[SQL("default false")])

    class Meta:
        table_name = "api_keys"
        primary_key = CompositeKey("organization", "id")
        indexes = ((("organization", "sha256"), True),)


class EventSettingRow(Table):
    """One event key of the rules in force, and whether its events are accepted."""

    organization = ForeignKeyField(OrganizationRow)
    event_key = TextField()
    name = TextField()
    enabled = BooleanField()
    called = ArrayField(TextField, index=False, constraints=[SQL("default '{}'")])

    class Meta:
        table_name = "event_settings"
        primary_key = CompositeKey("organization", "event_key")
