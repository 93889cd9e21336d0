"""How a command says that it refuses."""

import click


class Refused(click.ClickException):
    """Raised when a command cannot do what was asked: one sentence, exit code 1."""

    exit_code = 1

    def show(self, _file: object = None) -> None:
        """Print the reason to standard error."""
        click.echo(self.message, err=True)


def reason(error: Exception) -> str:
    """What went wrong, in a line without a full stop: as a failed command says, or the error."""
    text = str(getattr(error, "stderr", None) or error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__
