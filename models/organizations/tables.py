"""Organizations, their rule versions and their audit log."""

from peewee import (
    SQL,
    BooleanField,
    CompositeKey,
    DeferredForeignKey,
    ForeignKeyField,
    IntegerField,
    TextField,
)
from playhouse.postgres_ext import DateTimeTZField

from models.table import IdentityField, JsonField, Table


class OrganizationRow(Table):
    """One tenant. Every table of a tenant's data carries `organization_id`."""

    id = IdentityField(primary_key=True)
    name = TextField(unique=True)
    rate_limit = TextField(null=True)  # such as `20000/hour`; null for the default
    rules_version = IntegerField(default=0)  # 0 until rules are applied
    created_at = DateTimeTZField(constraints=[SQL("default now()")])

    class Meta:
        table_name = "organizations"


class RuleVersionRow(Table):
    """One applied rule file."""

    organization = ForeignKeyField(OrganizationRow)
    version = IntegerField()
    source = TextField()
    applied_at = DateTimeTZField()
    applied_by = TextField()
    brought_back = IntegerField(null=True)  # the version that a rollback repeats
    in_dashboard = BooleanField(default=False)  # made there, not in the watched rule file

    class Meta:
        table_name = "rule_versions"
        primary_key = CompositeKey("organization", "version")


class AuditLogRow(Table):
    """One change that a person or a tool made."""

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    # Deferred, since people refer to organizations; null for the command line.
    person = DeferredForeignKey("PersonRow", column_name="person_id", null=True)
    made_by = TextField()  # the person's email at that time, or the name of a tool
    at = DateTimeTZField()
    action = TextField()
    subject = TextField()
    detail = JsonField(constraints=[SQL("default '{}'")])

    class Meta:
        table_name = "audit_log"
        primary_key = CompositeKey("organization", "id")
