"""The exception of this package."""

import click


class CommandError(click.ClickException):
    """Raised when a command refuses to do its work: one sentence, exit code 1."""

    exit_code = 1

    def show(self, _file: object = None) -> None:
        """Print the reason to standard error."""
        click.echo(self.message, err=True)
