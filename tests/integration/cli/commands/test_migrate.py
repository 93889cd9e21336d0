"""`brazebee migrate` leaves post migrations to `brazebee migrate --post`, and reports refusals."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from config.settings import Settings
from models import migrations
from models.database import execute, transaction
from models.migrations import Migration


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """Run commands on a database to which a release adds one pre and one post migration."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    shipped = migrations.every()
    pre, post = Migration("9000_pre", "select 1"), Migration("9001_post", "select 2", is_post=True)
    monkeypatch.setattr(migrations, "every", lambda: [*shipped, pre, post])
    yield CliRunner()
    with transaction():
        execute("delete from schema_migrations where name >= '9'")


def migrate(runner: CliRunner, *options: str) -> Result:
    return runner.invoke(main, ["migrate", *options])


def test_post_migrations_are_named_until_they_are_applied(run: CliRunner) -> None:
    first = migrate(run)
    assert first.output.startswith("Applied 9000_pre.\n")
    assert "brazebee migrate --post" in first.output
    assert "9001_post" in first.output
    assert json.loads(migrate(run, "--post", "--json").output) == {"applied": ["9001_post"]}
    assert migrate(run).output == "The schema is up to date.\n"


def test_a_changed_migration_is_refused_in_one_sentence(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(run, "--post")
    changed = [*migrations.every()[:-1], Migration("9001_post", "select 3", is_post=True)]
    monkeypatch.setattr(migrations, "every", lambda: changed)
    refused = migrate(run)
    assert refused.exit_code == 1
    assert "9001_post" in refused.output
    assert "Traceback" not in refused.output
