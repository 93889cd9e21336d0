"""A group of commands that imports only the command that is called, so that each starts fast."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from cli.errors import CommandError
from models.migrations import MigrationRefused
from models.suitable_database import UnsuitableDatabase
from standalone.errors import StandaloneError


class LazyGroup(click.Group):
    """A group that maps each command's name to its import path, `module:attribute`.

    Listing the commands with their first lines, as `--help` does, imports them all.
    """

    def __init__(
        self, *arguments: object, import_paths: Mapping[str, str], **options: object
    ) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._import_paths = import_paths

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names: the imported commands in their order, then the others."""
        return [*self._import_paths, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if there is no command of this name."""
        import_path = self._import_paths.get(cmd_name)
        if import_path is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = import_path.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; servers that cannot be used and migrations that cannot run refuse it."""
        try:
            return super().invoke(ctx)
        except (StandaloneError, MigrationRefused, UnsuitableDatabase) as error:
            raise CommandError(str(error)) from None
