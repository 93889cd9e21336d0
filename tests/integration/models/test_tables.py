"""The Peewee models describe exactly the tables that the migrations create."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from peewee import Field, ForeignKeyField, IntegerField

import models
from config.settings import Settings
from models.database import database, execute, query
from models.keys.tables import ApiKeyRow
from models.table import Table

for module in pkgutil.walk_packages(models.__path__, "models."):
    if module.name.endswith(".tables"):
        importlib.import_module(module.name)

SHIPPED = Table.__subclasses__()

TYPES = {
    "BIGSERIAL": "bigint",
    "BYTEA": "bytea",
    "BYTEA[]": "bytea[]",
    "INT": "integer",
    "INTERVAL": "interval",
    "TEXT[]": "text[]",
    "TIMESTAMPTZ": "timestamp with time zone",
}
"""PostgreSQL's names of types whose names in Peewee differ in more than case."""

ON_DELETE = {"a": None, "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


@pytest.fixture(autouse=True)
def undo_changes(settings: Settings) -> Iterator[None]:
    """Run the test in a transaction that is rolled back."""
    with database.connection_context(), database.atomic() as transaction:
        yield
        transaction.rollback()


@dataclass(frozen=True)
class Column:
    """What a model and the schema must agree on; `references` is table, column, on delete."""

    type: str
    nullable: bool
    references: tuple[str, str, str | None] | None = None


@dataclass(frozen=True)
class Description:
    """A table's columns by name, its primary key in order, and its other plain unique keys."""

    columns: dict[str, Column]
    primary_key: tuple[str, ...]
    unique: frozenset[frozenset[str]]


def describe_model(model: type[Table]) -> Description:
    meta = model._meta
    key = meta.get_primary_keys() if meta.primary_key else []
    unique = [{field.column_name} for field in meta.sorted_fields if field.unique]
    unique += [{meta.fields[n].column_name for n in names} for names, only in meta.indexes if only]
    return Description(
        {
            field.column_name: Column(
                type_of(field),
                field.null,
                (
                    (
                        field.rel_model._meta.table_name,
                        field.rel_field.column_name,
                        field.on_delete,
                    )
                    if isinstance(field, ForeignKeyField)
                    else None
                ),
            )
            for field in meta.sorted_fields
        },
        tuple(field.column_name for field in key),
        frozenset(map(frozenset, unique)),
    )


def type_of(field: "Field[Any]") -> str:
    """Return PostgreSQL's name of a field's type."""
    if isinstance(field, ForeignKeyField):
        return type_of(field.rel_field)
    context = database.obj.get_sql_context()
    sql, _ = context.sql(field.ddl_datatype(context)).query()
    sql = sql.replace(", ", ",")  # as PostgreSQL writes it
    return TYPES.get(sql, sql.lower())


def describe_schema() -> dict[str, Description]:
    columns: dict[str, dict[str, Column]] = {}
    references = {(row["table"], row["column"]): row for row in query(REFERENCES)}
    for row in query(COLUMNS):
        reference = references.get((row["table"], row["column"]))
        columns.setdefault(row["table"], {})[row["column"]] = Column(
            row["type"],
            row["nullable"],
            reference
            and (
                reference["parent"],
                reference["parent_column"],
                ON_DELETE[reference["on_delete"]],
            ),
        )
    primary_keys: dict[str, tuple[str, ...]] = {}
    unique: dict[str, set[frozenset[str]]] = {}
    for row in query(KEYS):
        if row["is_primary"]:
            primary_keys[row["table"]] = tuple(row["columns"])
        else:
            unique.setdefault(row["table"], set()).add(frozenset(row["columns"]))
    return {
        table: Description(described, primary_keys.get(table, ()), frozenset(unique.get(table, ())))
        for table, described in columns.items()
    }


COLUMNS = """
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
        not a.attnotnull as nullable
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
        and a.attnum > 0 and not a.attisdropped
"""
# Peewee has no foreign keys of several columns; see test_organization_keys.
REFERENCES = """
    select child.relname as table, a.attname as column, parent.relname as parent,
        pa.attname as parent_column, f.confdeltype as on_delete
    from pg_constraint f join pg_class child on child.oid = f.conrelid
        join pg_class parent on parent.oid = f.confrelid
        join pg_attribute a on a.attrelid = child.oid and a.attnum = f.conkey[1]
        join pg_attribute pa on pa.attrelid = parent.oid and pa.attnum = f.confkey[1]
    where f.contype = 'f' and child.relnamespace = current_schema()::regnamespace
        and cardinality(f.conkey) = 1
"""
KEYS = """
    select c.relname as table, i.indisprimary as is_primary, (
            select array_agg(a.attname::text order by k.place)
            from unnest(i.indkey::smallint[]) with ordinality k (number, place)
                join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
        ) as columns
    from pg_index i join pg_class c on c.oid = i.indrelid
    where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
        and i.indisunique and i.indpred is null and i.indexprs is null
"""


def differences(described: list[type[Table]]) -> list[str]:
    """Return the differences between these models and the schema, a sentence each."""
    schema = describe_schema()
    tables = {model._meta.table_name: describe_model(model) for model in described}
    return [
        *(f"{table} has no model" for table in schema.keys() - tables.keys()),
        *(f"{table} has no table" for table in tables.keys() - schema.keys()),
        *(
            f"{table}: {part}"
            for table in schema.keys() & tables.keys()
            for part in _differing_parts(schema[table], tables[table])
        ),
    ]


def _differing_parts(schema: Description, model: Description) -> Iterator[str]:
    if schema.primary_key != model.primary_key:
        yield f"primary key {schema.primary_key}, in the model {model.primary_key}"
    if schema.unique != model.unique:
        expected, described = (sorted(map(sorted, d.unique)) for d in (schema, model))
        yield f"unique {expected}, in the model {described}"
    for name in sorted(schema.columns.keys() | model.columns.keys()):
        ours, theirs = schema.columns.get(name), model.columns.get(name)
        if ours != theirs:
            yield f"column {name} {ours}, in the model {theirs}"


def test_every_table_has_a_model_and_every_model_its_table() -> None:
    assert differences(SHIPPED) == []


def test_each_table_has_one_model() -> None:
    assert len(SHIPPED) == len(describe_schema()) == len({m._meta.table_name for m in SHIPPED})


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("create table t9000 (a integer)", "t9000 has no model"),
        ("alter table api_keys add column extra text", "api_keys: column extra"),
        ("alter table api_keys drop column revoked_at", "api_keys: column revoked_at None"),
        ("alter table api_keys alter column name drop not null", "api_keys: column name"),
        ("alter table api_keys alter column name type varchar(9)", "api_keys: column name"),
        (
            "alter table api_keys drop constraint api_keys_organization_id_fkey",
            "api_keys: column organization_id",
        ),
        (
            (
                "alter table api_keys drop constraint api_keys_organization_id_fkey, add foreign"
                " key (organization_id) references organizations on delete cascade"
            ),
            "api_keys: column organization_id",
        ),
        ("alter table api_keys drop constraint api_keys_pkey", "api_keys: primary key ()"),
        ("drop index api_keys_of_organization_by_digest", "api_keys: unique []"),
        ("alter table event_arrivals add primary key (hour)", "event_arrivals: primary key"),
    ],
)
def test_a_difference_between_schema_and_models_is_reported(change: str, difference: str) -> None:
    execute(change)
    [reported] = differences(SHIPPED)
    assert reported.startswith(difference)


def test_a_model_without_a_table_is_reported() -> None:
    class UnknownTable(Table):
        class Meta:
            table_name = "t9000"

    assert differences([*SHIPPED, UnknownTable]) == ["t9000 has no table"]


def test_a_field_without_a_column_is_reported() -> None:
    class ExtendedRow(ApiKeyRow):
        extra = IntegerField()

        class Meta:
            table_name = "api_keys"

    others = [model for model in SHIPPED if model is not ApiKeyRow]
    [reported] = differences([*others, ExtendedRow])
    assert reported.startswith("api_keys: column extra None")
