"""No line of a log contains what an event contains."""

import logging
import sys
from typing import Any

import peewee
import psycopg2
import psycopg2.errors
import pytest
from dramatiq import Message
from dramatiq.broker import MessageProxy

from config.process import configure_logging
from config.safe_logs import SafeFormatter, describe

SECRET = "Café ✓ GmbH"

LOGGERS = (None, "brazebee", "dramatiq")


def refused(kind: type[psycopg2.Error], message: str) -> psycopg2.Error:
    """Return an error as the driver raises it: a primary message and details with values."""
    return kind(f'{message}\nDETAIL:  Key (name)=({SECRET}) exists.\nLINE 1: "{SECRET}"')


def replaced_by_peewee(error: psycopg2.Error) -> Exception:
    try:
        with peewee.__exception_wrapper__:
            raise error
    except peewee.PeeweeException as replacement:
        return replacement


@pytest.mark.parametrize("through", [lambda error: error, replaced_by_peewee])
@pytest.mark.parametrize(
    ("error", "described"),
    [
        (
            refused(psycopg2.errors.UniqueViolation, f"duplicate {SECRET}"),
            "UniqueViolation (no SQLSTATE)",
        ),
        (
            refused(psycopg2.errors.InvalidTextRepresentation, f'invalid input: "{SECRET}"'),
            "InvalidTextRepresentation (no SQLSTATE)",
        ),
        (
            refused(psycopg2.errors.UndefinedTable, 'relation "events" does not exist'),
            'UndefinedTable: relation "events" does not exist',
        ),
        (
            refused(psycopg2.errors.AdminShutdown, "terminating connection"),
            "AdminShutdown: terminating connection",
        ),
    ],
)
def test_an_error_of_the_database_is_described_without_values(
    error: psycopg2.Error, through: Any, described: str
) -> None:
    assert describe(through(error)) == described


def test_what_closed_a_connection_is_described_instead_of_its_failed_rollback() -> None:
    timed_out = psycopg2.OperationalError("no answer within 5 s")
    closed = psycopg2.InterfaceError("connection already closed")
    closed.__context__ = peewee.OperationalError("no answer within 5 s")
    closed.__context__.__context__ = timed_out
    replaced = peewee.InterfaceError("connection already closed")
    replaced.__context__ = closed
    assert describe(replaced) == "OperationalError: no answer within 5 s"
    closed.__context__ = ValueError("x")
    assert describe(closed) == "InterfaceError: connection already closed"


@pytest.mark.parametrize(
    ("error", "described"),
    [
        (ValueError(f"invalid literal: '{SECRET}'"), "ValueError"),
        (KeyError(SECRET), "KeyError"),
        (UnicodeEncodeError("ascii", SECRET, 3, 4, "ordinal"), "UnicodeEncodeError"),
        (TypeError("unhashable type: 'dict'"), "TypeError: unhashable type: 'dict'"),
        (ConnectionRefusedError("refused\nmore"), "ConnectionRefusedError: refused"),
        (peewee.OperationalError("no answer within 5 s"), "OperationalError: no answer within 5 s"),
    ],
)
def test_other_errors_are_described_by_their_types_unless_they_quote_nothing(
    error: Exception, described: str
) -> None:
    assert describe(error) == described


def record(message: str, *args: Any, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("dramatiq", logging.ERROR, "file", 1, message, args, info)


def test_a_traceback_has_lines_of_code_and_no_values_of_any_error_in_the_chain() -> None:
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise LookupError(SECRET) from error
    except LookupError as error:
        text = SafeFormatter().format(record("failed", error=error))
    assert SECRET not in text
    assert "int(SECRET)" in text
    assert text.index("ValueError") < text.index("LookupError")


@pytest.mark.parametrize("proxy", [lambda message: message, MessageProxy])
def test_a_message_of_the_queue_is_named_without_its_arguments(proxy: Any) -> None:
    message: Any = Message(
        queue_name="events", actor_name="persist", args=([{"name": SECRET}],), kwargs={}, options={}
    )
    original = record("Failed to process message %s with unhandled exception.", proxy(message))
    text = SafeFormatter().format(original)
    assert SECRET not in text
    assert f"persist {message.message_id}" in text
    assert original.args == (original.args[0],), "other handlers see the record as it was"


def test_an_error_that_ends_a_process_is_logged_without_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # restores it
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    levels = {logger: logger.level for logger in map(logging.getLogger, LOGGERS)}
    try:
        configure_logging("INFO")
        sys.excepthook(ValueError, ValueError(SECRET), None)
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)
    printed = capsys.readouterr().err
    assert "ValueError" in printed
    assert SECRET not in printed


def test_a_message_is_one_line_whatever_it_names() -> None:
    original = record("company %s: %s", "line\nbreak\r", "\x1b]0;title\x07")
    text = SafeFormatter("%(levelname)s %(message)s").format(original)
    assert text == r"ERROR company line\nbreak\r: \x1b]0;title\x07"


def test_the_description_of_an_error_is_one_line() -> None:
    assert describe(RuntimeError("no\x1b[2J file\rhere")) == r"RuntimeError: no\x1b[2J file\rhere"
