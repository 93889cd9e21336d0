"""Whether each statement is answered by the rows of one organization alone.

The statements that product code sends during a test run are planned again in a database whose
tenant tables are hash-partitioned by `organization_id`. The planner leaves out a partition only
for a constant `organization_id`, so a plan that reads two partitions of any table means that a
filter is missing.
"""

import inspect
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg2
import psycopg2.errors

from models import across_organizations
from models.database import _Database

PARTITIONED_DATABASE = "partitioned_for_tests"

ROOT = Path(__file__).parents[2]

TENANT_TABLES = """
    select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
        and a.attname = 'organization_id' and not a.attisdropped
        and c.relname <> all(array['memberships'])
    order by 1
"""
"""Memberships belong to people as much as to organizations; they have a filter by either."""

PARTITIONED_SCHEMA = f"""
    alter sequence transition_positions owned by none;
    do $$
    declare
        tenant_table text;
        index record;
    begin
        for tenant_table in {TENANT_TABLES} loop
            execute format('alter table %1$I rename to %1$s__whole', tenant_table);
            execute format('create table %1$I (like %1$s__whole including defaults including'
                ' generated) partition by hash (organization_id)', tenant_table);
            for remainder in 0..3 loop
                execute format('create table %1$s__p%2$s partition of %1$I'
                    ' for values with (modulus 4, remainder %2$s)', tenant_table, remainder);
            end loop;
            for index in
                select pg_get_indexdef(indexrelid) as definition from pg_index
                where indrelid = format('%s__whole', tenant_table)::regclass and indisunique
                    and indkey[0] = (select attnum from pg_attribute
                        where attrelid = indrelid and attname = 'organization_id')
            loop
                execute regexp_replace(index.definition, 'INDEX \\S+ ON \\S+ ',
                    format('INDEX ON %I ', tenant_table));
            end loop;
            execute format('drop table %s__whole cascade', tenant_table);
        end loop;
    end $$;
"""

_READS_OR_WRITES = re.compile(r"\s*(with|select|insert|update|delete)\b", re.IGNORECASE)
_VARYING = re.compile(r"\d+|, \((?:%s(?:, )?)+\)")
"""Numbers, and the rows of `VALUES` after the first one."""

_PARTITION = re.compile(r"(.+)__p(\d)")
_BULK_SOURCES = {"Function Scan", "CTE Scan"}
_HELPERS = {ROOT / "models" / f"{name}.py" for name in ("database", "bulk", "table")}
_ACROSS = Path(across_organizations.__file__)


class Statements:
    """The different statements that product code sends in this process, each once."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._shapes: set[str] = set()
        self._new: list[tuple[str, Path]] = []

    def note(self, sql: str, cursor: Any) -> None:
        if sql in self._texts or not _READS_OR_WRITES.match(sql):
            return
        self._texts.add(sql)
        shape = _VARYING.sub("", sql)
        if shape in self._shapes:
            return
        self._shapes.add(shape)
        if source := _sender(inspect.currentframe()):
            self._new.append((cursor.query.decode(), source))

    def take_new(self) -> list[tuple[str, Path]]:
        new, self._new = self._new, []
        return new


@contextmanager
def noting(statements: Statements) -> Iterator[None]:
    """Note every statement that is executed."""
    execute = _Database.execute_sql

    def execute_sql(self: _Database, sql: str, *args: Any, **options: Any) -> Any:
        cursor = execute(self, sql, *args, **options)
        statements.note(sql, cursor)
        return cursor

    _Database.execute_sql = execute_sql
    try:
        yield
    finally:
        _Database.execute_sql = execute


def _sender(frame: FrameType | None) -> Path | None:
    """Return the file of the product that sends the current statement; None if a test does."""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if ROOT in path.parents and ".venv" not in path.parts and path not in _HELPERS:
            place = path.relative_to(ROOT)
            if place.parts[0] != "tests":
                return path
            if path != Path(__file__):
                return None
        frame = frame.f_back
    return None


class Planner:
    """Finds faults in statements, by their plans in the partitioned database."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True

    def close(self) -> None:
        self._connection.close()

    def find_fault(self, sql: str, source: Path) -> str | None:
        """Return what is wrong with a statement that a file sends; None if nothing is."""
        try:
            plan = self._plan(sql)
        except psycopg2.errors.UndefinedTable:
            return None  # it was executed, so a test has made that table
        except psycopg2.Error as error:
            return f"it cannot be planned: {error}"
        nodes = list(_nodes(plan))
        partitions: dict[str, set[str]] = {}
        for node in nodes:
            if match := _PARTITION.fullmatch(node.get("Relation Name", "")):
                partitions.setdefault(match[1], set()).add(match[2])
        if len(set().union(*partitions.values())) > 1 and source != _ACROSS:
            wide = [name for name, numbers in partitions.items() if len(numbers) > 1]
            return f"no constant organization_id for {', '.join(wide or partitions)}"
        for node in nodes:
            if node.get("Operation") == "Insert" and _BULK_SOURCES & {
                part["Node Type"] for part in _nodes(node)
            }:
                return f"rows inserted into {node['Relation Name']} are neither VALUES nor COPY"
        return None

    def _plan(self, sql: str) -> dict[str, Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(f"explain (format json) {sql}")
            [[plan]] = cursor.fetchall()
        plan = json.loads(plan) if isinstance(plan, str) else plan
        found: dict[str, Any] = plan[0]["Plan"]
        return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
