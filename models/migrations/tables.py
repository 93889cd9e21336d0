"""The migrations that were applied to this database."""

from peewee import SQL, TextField
from playhouse.postgres_ext import DateTimeTZField

from models.table import Table


class SchemaMigrationRow(Table):
    """One applied migration."""

    name = TextField(primary_key=True)
    applied_at = DateTimeTZField(constraints=[SQL("default now()")])
    checksum = TextField(null=True)  # SHA-256 of the file; null until the next run records it

    class Meta:
        table_name = "schema_migrations"
