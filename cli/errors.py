"""The exception of this package."""

import click

from config.printable import printable


class CommandError(click.ClickException):
    """Raised when a command refuses to do its work: one sentence, exit code 1."""

    exit_code = 1

    def show(self, _file: object = None) -> None:
        """Print the reason to standard error."""
        click.echo(printable(self.message, keep="\n\t"), err=True)
