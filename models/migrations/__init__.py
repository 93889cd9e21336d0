"""Applies the schema migrations: the SQL files beside this module, each once, in number order.

A release that changes the schema is deployed in three steps, while processes keep running:

1. `brazebee migrate`, the `release` line of the Procfile, applies the migrations that must run
   *before* the new code starts. The code of the release before keeps working with them, so they
   add tables, indexes and columns that are nullable or have a default.
2. The processes are replaced.
3. `brazebee migrate --post` applies the migrations that must run *after* the old code has
   stopped, such as dropping a column that it still writes. Run it once no process of the release
   before is left.

A file `0021_name.sql` is such a `pre` migration; a file `0022_name.post.sql` is a `post` one. Both
are recorded by number and name, without `.post`. The post migrations of a release have higher
numbers than its pre migrations.

A migration is one transaction, together with its record. If it ends in `.online.sql`, each of its
statements is one, so that large tables get their indexes while events come in; its statements are
separated by empty lines, and repeating one that is done changes nothing. See
`models.migrations.online`.

- `migrate(post=False)` applies the pending pre migrations. It refuses if a pending post migration
  has a lower number than one of them: that one belongs to an earlier release whose step 3 has not
  been done, and the later migration may depend on it. To skip releases, stop all processes and run
  `brazebee migrate --post`, which is always possible then.
- `migrate(post=True)` applies all pending migrations, in number order. `brazebee up` does this,
  since it starts the processes of its machine only afterwards.
- In a database without any migration, both apply all of them: there is no older process.

Migrations 0001 to 0014 are all `pre`. One of them, 0013, also drops a column that the release
before it wrote: upgrade to it with all processes stopped.

An applied migration never changes. Its checksum is recorded, and `migrate` refuses to run when a
file no longer matches; migrations applied before checksums existed are recorded with that of their
file at the next run.

If a migration fails, those before it stay applied, and the next run continues with it. An advisory
lock lets one process migrate at a time; migration libraries keep their lock in a table, where a
killed process leaves it.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources

from peewee import OperationalError

from models.bulk import query_over
from models.database import database, execute, is_lock_timeout, query, transaction
from models.errors import ModelError
from models.locks import AdvisoryLock, release_for_session, try_lock_for_session
from models.migrations import online

LOCK_PAUSE_SECONDS = 0.2

CHECKSUMS_SINCE = "0014_migration_checksums"


class MigrationRefused(ModelError):
    """Raised when migrations cannot be applied; the message says what to do."""


@dataclass(frozen=True)
class Migration:
    """One SQL file; `is_post` means that it runs only after the old code has stopped.

    `is_online` means that each of its statements is a transaction of its own.
    """

    name: str
    sql: str
    is_post: bool = False
    is_online: bool = False

    @property
    def checksum(self) -> str:
        """The SHA-256 of the file, as hexadecimal digits."""
        return sha256(self.sql.encode()).hexdigest()


def migrate(*, post: bool = False) -> list[str]:
    """Apply pending migrations and return their names, in order.

    Without `post`, only those that run before new code starts; see the module's docstring.

    Raises:
        MigrationRefused: An applied file has changed, or a post migration has to run first; or
            transactions of others kept a table locked for minutes.
        OperationalError: PostgreSQL is unavailable. The migrations before are applied.
    """
    with database.connection_context(), _one_at_a_time():
        execute(
            "create table if not exists schema_migrations"
            " (name text primary key, applied_at timestamptz not null default now())"
        )
        migrations = every()
        checksums = _recorded_checksums()
        _refuse_changed_files(migrations, checksums)
        pending = [migration for migration in migrations if migration.name not in checksums]
        if checksums and not post:
            pending = _runnable_before_deployment(pending)
        for migration in pending:
            _apply(migration)
        applied = [migration.name for migration in pending]
        if CHECKSUMS_SINCE in {*checksums, *applied}:
            _record_missing_checksums(migrations)
    return applied


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait until no other process migrates; a lost connection ends the exclusion as well."""
    # Not in one statement: building an index concurrently waits for all statements to end.
    while not try_lock_for_session(AdvisoryLock.MIGRATIONS):
        time.sleep(LOCK_PAUSE_SECONDS)
    try:
        yield
    finally:
        if not database.is_closed():
            release_for_session(AdvisoryLock.MIGRATIONS)


def _apply(migration: Migration) -> None:
    if migration.is_online:
        try:
            online.run(online.statements_of(migration.sql))
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            raise MigrationRefused(
                f"{migration.name} needs a table that other transactions have kept for"
                f" {online.PATIENCE_SECONDS / 60:g} minutes. End the transactions that are open for"
                " long, which pg_stat_activity lists, and run it again: it continues."
            ) from None
    with database.atomic():
        if not migration.is_online:
            database.execute_sql(migration.sql)
        execute("insert into schema_migrations (name) values (%(name)s)", {"name": migration.name})


def pending() -> list[str]:
    """Return the names of the migrations that are not applied, in order."""
    with transaction():
        applied = _recorded_checksums()
    return [migration.name for migration in every() if migration.name not in applied]


def every() -> list[Migration]:
    """Return all migrations of this release, in order."""
    files = [f for f in resources.files(__package__).iterdir() if f.name.endswith(".sql")]
    return [
        _migration(f.name.removesuffix(".sql"), f.read_text(encoding="utf-8"))
        for f in sorted(files, key=lambda f: f.name)
    ]


def _migration(stem: str, sql: str) -> Migration:
    name, *kinds = stem.split(".")
    return Migration(name, sql, is_post="post" in kinds, is_online="online" in kinds)


def _recorded_checksums() -> dict[str, str | None]:
    """Return the checksum of each applied migration; None where none was recorded."""
    # Through JSON, since the column does not exist before migration 0014.
    rows = query(
        "select name, to_jsonb(applied) ->> 'checksum' as checksum from schema_migrations applied"
    )
    return {row["name"]: row["checksum"] for row in rows}


def _refuse_changed_files(
    migrations: Collection[Migration], checksums: dict[str, str | None]
) -> None:
    changed = [
        migration.name
        for migration in migrations
        if (checksums.get(migration.name) or migration.checksum) != migration.checksum
    ]
    if changed:
        raise MigrationRefused(
            f"The file of {', '.join(changed)} in models/migrations has changed since it was"
            " applied to this database. Restore it as it was, and put the change into a new"
            " migration."
        )


def _runnable_before_deployment(pending: Sequence[Migration]) -> list[Migration]:
    runnable: list[Migration] = []
    waiting: list[Migration] = []
    for migration in pending:
        if migration.is_post:
            waiting.append(migration)
        elif waiting:
            raise MigrationRefused(
                f"{migration.name} may depend on {waiting[0].name}, a post migration that has not"
                " been applied. Run `brazebee migrate --post` of the release that is deployed now,"
                " once no older process is left; or stop all processes and run `brazebee migrate"
                " --post` of this release."
            )
        else:
            runnable.append(migration)
    return runnable


def _record_missing_checksums(migrations: Collection[Migration]) -> None:
    query_over(
        "update schema_migrations applied set checksum = v.checksum from v"
        " where applied.name = v.name and applied.checksum is null",
        [{"name": migration.name, "checksum": migration.checksum} for migration in migrations],
        "name text, checksum text",
    )
