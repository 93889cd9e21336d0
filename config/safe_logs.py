"""Log lines that are one line each, and never contain what an event contains.

Messages of errors may quote values: PostgreSQL's show the row that violates a constraint, Python's
the text that is no number, and Dramatiq prints the arguments of actors. So a line has the message
of an error only if it is known not to quote any.
"""

import logging
import traceback
from collections.abc import Iterator
from copy import copy
from types import TracebackType

import peewee
import psycopg2
from dramatiq import Message
from dramatiq.broker import MessageProxy
from redis.exceptions import RedisError

from config.printable import printable

_WITHOUT_VALUES = (
    ArithmeticError,
    AttributeError,
    ImportError,
    IndexError,
    NameError,
    OSError,
    RedisError,
    RuntimeError,
    TypeError,
    peewee.InterfaceError,
    peewee.OperationalError,
)
"""The messages of these errors name types, attributes or addresses; those of others, such as
`ValueError` and `KeyError`, may quote what is wrong."""

_ABOUT_SERVERS = (
    psycopg2.InterfaceError,
    psycopg2.InternalError,
    psycopg2.NotSupportedError,
    psycopg2.OperationalError,
    psycopg2.ProgrammingError,
)
"""The first lines of these name servers, tables and limits. The others are about values."""

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def describe(error: BaseException) -> str:
    """Describe an error in one line, without the values that it may quote."""
    database_error = _database_error(error)
    if database_error is None:
        name = type(error).__name__
        return f"{name}: {_first_line(error)}" if isinstance(error, _WITHOUT_VALUES) else name
    name = type(database_error).__name__
    if isinstance(database_error, _ABOUT_SERVERS):
        return f"{name}: {_first_line(database_error)}"
    return f"{name} ({database_error.pgcode or 'no SQLSTATE'})"


class SafeFormatter(logging.Formatter):
    """Formats errors without the values that they quote, and messages without their arguments."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        if isinstance(record.args, tuple):
            record = copy(record)
            record.args = tuple(_without_arguments(arg) for arg in record.args or ())
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- its name in the base class
        """See `logging.Formatter.formatMessage`; a message is one line, whatever it names."""
        record = copy(record)
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: ExceptionInfo | tuple[None, None, None]) -> str:  # noqa: N802 -- its name in the base class
        """See `logging.Formatter.formatException`; lines of code show no values."""
        parts = []
        for error in _chain(ei[1]):
            trace = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"Traceback (most recent call last):\n{trace}{describe(error)}")
        return "\n\nwhich led to:\n\n".join(reversed(parts))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it replaced, the last one first."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _database_error(error: BaseException) -> psycopg2.Error | None:
    """Return the error of psycopg2 if this is one, or if it is Peewee's replacement of one.

    A connection that was closed, such as by a timeout, cannot be rolled back either: of the errors
    that follow from it, return the first.
    """
    found: BaseException | None = error
    if type(error).__module__ == "peewee":
        found = error.__context__
    if not isinstance(found, psycopg2.Error):
        return None
    first, earlier = found, found.__context__
    while isinstance(found, psycopg2.InterfaceError) and earlier is not None:
        if isinstance(earlier, psycopg2.Error):
            first = earlier
        earlier = earlier.__context__
    return first


def _first_line(error: BaseException) -> str:
    """Return the first line of a message: PostgreSQL quotes values in the others."""
    return printable(str(error).strip().partition("\n")[0])


def _without_arguments(arg: object) -> object:
    if isinstance(arg, Message | MessageProxy):
        return f"{arg.actor_name} {arg.message_id}"
    return arg
