"""How to go on after an import that did not finish."""

from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import click

from cli.connection import report_database_errors
from cli.errors import CommandError

UNFINISHED = "The import did not finish. Run the same command again: it continues where it stopped."


@contextmanager
def begin_errors_with_how_to_go_on() -> Iterator[None]:
    """Run a part of an import, and begin the error that ends it with how to go on.

    Raises:
        CommandError: it was interrupted, PostgreSQL cannot be reached, or a process was killed.
    """
    try:
        with report_database_errors():
            yield
    except KeyboardInterrupt:
        raise CommandError(f"\n{UNFINISHED}") from None
    except BrokenProcessPool:
        raise CommandError(f"{UNFINISHED} A process was killed; is there enough memory?") from None
    except CommandError as error:
        raise CommandError(f"{UNFINISHED} {error.message}") from None
    except Exception:
        click.echo(UNFINISHED, err=True)
        raise
