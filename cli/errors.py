"""How a command says that it refuses."""

import click


class Refused(click.ClickException):
    """Raised when a command cannot do what was asked: one sentence, exit code 1."""

    exit_code = 1

    def show(self, _file: object = None) -> None:
        """Print the reason to standard error."""
        click.echo(self.message, err=True)
