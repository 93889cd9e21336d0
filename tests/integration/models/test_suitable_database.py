"""Databases that cannot hold every character that clients send are refused (R5)."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg2
import pytest

from config.settings import Settings
from models.database import check_database, connect, database, query, transaction
from models.migrations import migrate
from models.suitable_database import UnsuitableDatabase
from tests.support.product.servers import Servers

NAME = "Café ✓"


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def unsuitable(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Settings]:
    """Settings for a database of the kind that `initdb` makes in a locale without UTF-8."""
    name = f"encoded_{request.param.lower()}"
    servers.execute(
        f"create database {name} encoding '{request.param}' locale 'C' template template0"
    )
    made = replace(servers.settings(), database_url=servers.database_url(name))
    connect(made)
    yield made
    database.obj.close_all()
    servers.execute(f"drop database {name}")


def test_a_database_of_another_encoding_is_refused_with_what_to_do(unsuitable: Settings) -> None:
    with pytest.raises(UnsuitableDatabase) as refused:
        check_database()
    message = str(refused.value)
    assert "encoded_" in message
    assert "has the encoding" in message
    assert "createdb --encoding UTF8" in message
    assert "\n" not in message


def test_nothing_is_migrated_or_stored_there(unsuitable: Settings) -> None:
    for refused in (migrate, lambda: transaction().__enter__()):
        with pytest.raises(UnsuitableDatabase):
            refused()
    with closing(psycopg2.connect(unsuitable.database_url)) as other, other.cursor() as cursor:
        cursor.execute("select count(*) from pg_tables where schemaname = 'public'")
        assert cursor.fetchone() == (0,)


def test_refused_connections_are_closed(unsuitable: Settings, servers: Servers) -> None:
    for _ in range(30):  # more than the pool has
        with pytest.raises(UnsuitableDatabase):
            check_database()
    with closing(psycopg2.connect(servers.database_url("postgres"))) as other:
        cursor = other.cursor()
        cursor.execute("select count(*) from pg_stat_activity where datname like 'encoded_%%'")
        assert cursor.fetchone()[0] <= 1  # the last one may still be closing


def test_a_suitable_database_that_is_away_is_checked_later(settings: Settings) -> None:
    connect(replace(settings, database_url="postgresql://nobody@127.0.0.1:1/nowhere"))
    check_database()


@pytest.mark.parametrize("how", ["PGCLIENTENCODING", "the role", "the URL"])
def test_connections_use_utf_8_whatever_their_surroundings_ask_for(
    how: str, settings: Settings, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "PGCLIENTENCODING":
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    elif how == "the role":
        servers.execute("alter role postgres set client_encoding = 'SQL_ASCII'")
    else:
        url = (
            f"{settings.database_url}&client_encoding=LATIN1&options=-c%20client_encoding%3DLATIN1"
        )
        connect(replace(settings, database_url=url))
    try:
        with transaction():
            assert query("select %(name)s as name", {"name": NAME}) == [{"name": NAME}]
            assert query("show client_encoding") == [{"client_encoding": "UTF8"}]
    finally:
        servers.execute("alter role postgres reset client_encoding")
