"""Empties the database between tests, in a few milliseconds."""

import psycopg2

SCHEMA = """
    create schema if not exists tests;

    create or replace function tests.empty_tables() returns void language plpgsql as $$
    declare
        tables text[];
        name text;
        change text;
    begin
        set local lock_timeout = '10s';
        -- Foreign keys are not checked: every row is removed.
        set local session_replication_role = replica;
        select array_agg(format('public.%I', tablename)) into tables from pg_tables
        where schemaname = 'public' and tablename <> 'schema_migrations';
        foreach name in array tables loop
            -- A truncated table gets new files, which takes longer than to delete a few rows.
            if pg_relation_size(name) > 1024 * 1024 then
                execute 'truncate ' || array_to_string(tables, ', ') || ' cascade';
                exit;
            end if;
            if pg_relation_size(name) > 0 then
                execute 'delete from ' || name;
            end if;
        end loop;
        perform setval(format('public.%I', sequencename)::regclass, start_value, false)
        from pg_sequences where schemaname = 'public' and last_value is not null;

        -- The triggers, checks and sequences by which a test made something fail.
        for change in
            select 'drop routine ' || oid::regprocedure || ' cascade'
            from pg_proc where pronamespace = 'public'::regnamespace
            union all
            select 'alter table ' || conrelid::regclass || ' drop constraint '
                || quote_ident(conname)
            from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace
            union all
            select 'drop sequence ' || oid::regclass from pg_class c
            where relkind = 'S' and relnamespace = 'public'::regnamespace
                and not exists (
                    select from pg_depend d where d.objid = c.oid and deptype in ('a', 'i')
                )
        loop
            execute change;
        end loop;
    end $$;
"""


class Emptier:
    """Removes all rows of a database and what tests added to its schema; ids start from 1 again.

    It keeps a connection of its own, so that PostgreSQL does not plan the queries for each test.
    """

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._connect()

    def _connect(self) -> None:
        self._connection = psycopg2.connect(self._database_url)
        self._connection.autocommit = True
        self._execute(SCHEMA)

    def empty(self) -> None:
        try:
            self._execute("select tests.empty_tables()")
        except psycopg2.Error:
            if not self._connection.closed:
                raise
            self._connect()  # a test terminated every connection
            self._execute("select tests.empty_tables()")

    def _execute(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def close(self) -> None:
        self._connection.close()
