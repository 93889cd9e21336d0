"""The base class of the Peewee models that describe the tables, and two field types.

Each table has one model, in `tables.py` of its domain's folder, named after one of its rows. The
migrations create the tables; a test compares them with the models. Plain reads and writes use the
models; a query whose plan or atomicity matters is SQL in the module beside them.
"""

from typing import Any

from peewee import BigIntegerField, Field, Model

from models.database import database, json


class Table(Model):
    """A table, by the `table_name` of its `Meta`."""

    class Meta:
        """Bound to the database that `models.database.connect` chooses."""

        database = database


def fetch(statement: Any) -> list[dict[str, Any]]:
    """Run a query of the models and return its rows by field name."""
    return list(statement.dicts())


class IdentityField(BigIntegerField):
    """A column of the type `bigint generated always as identity`."""


class JsonField(Field):
    """A `jsonb` column. Python's None is stored as an SQL null."""

    field_type = "JSONB"

    def db_value(self, value: Any) -> Any:
        """Return the value as a query parameter."""
        return None if value is None else json(value)
