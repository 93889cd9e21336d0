"""Brings the schema up to date: the SQL files beside this one, in order, each once.

PostgreSQL's own lock keeps two processes from migrating at the same time, and goes with the
process that held it; migration libraries keep theirs in a table, where a kill leaves it.
"""

from importlib import resources

from models.database import database, execute, query, transaction
from models.locks import AdvisoryLock, lock


def migrate() -> list[str]:
    """Apply what has not been applied; the names of what was, in order."""
    applied = []
    with transaction():
        lock(AdvisoryLock.MIGRATIONS)
        execute(
            "create table if not exists schema_migrations"
            " (name text primary key, applied_at timestamptz not null default now())"
        )
        done = {row["name"] for row in query("select name from schema_migrations")}
        for name, sql in every():
            if name not in done:
                database.execute_sql(sql)
                execute("insert into schema_migrations (name) values (%(name)s)", {"name": name})
                applied.append(name)
    return applied


def every() -> list[tuple[str, str]]:
    """The migrations by name with their SQL, in order."""
    files = [f for f in resources.files(__package__).iterdir() if f.name.endswith(".sql")]
    return [
        (f.name.removesuffix(".sql"), f.read_text(encoding="utf-8"))
        for f in sorted(files, key=lambda f: f.name)
    ]
