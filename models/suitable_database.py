"""What a PostgreSQL database must have for Brazebee, checked whenever a connection opens."""

from typing import Any

from peewee import OperationalError
from psycopg2.extensions import connection as Connection  # noqa: N812 -- psycopg2's name is that of a value

from models.errors import ModelError

ENCODING = "UTF8"
"""Of the database and of each connection. Clients send any character of Unicode."""


class UnsuitableDatabase(ModelError, OperationalError):
    """Raised when a database cannot be used; the message is a sentence that says what to do.

    Processes refuse to start with it. For those that run already it is an outage, as its second
    base says, so events wait. (Peewee would replace an error whose first base it knows.)
    """


def check_encoding(opened: Connection) -> None:
    """Check a new connection. The server reports its encoding by itself, so nothing is sent.

    Raises:
        UnsuitableDatabase: the database has another encoding than UTF-8.
    """
    encoding: Any = opened.get_parameter_status("server_encoding")
    if encoding in (None, ENCODING):  # poolers may keep it to themselves
        return
    place = opened.info
    raise UnsuitableDatabase(
        f"The database `{place.dbname}` on {place.host or 'the local socket'} has the encoding"
        f" {encoding}, which cannot hold every character that clients send. Create one with"
        f" `createdb --encoding {ENCODING} --template template0 NAME`, and put it into"
        " DATABASE_URL."
    )
