"""A group of commands that loads only the one that is called, so that each starts at once."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from cli.errors import Refused
from standalone.errors import StandaloneError


class LazyGroup(click.Group):
    """A group that knows of each command its name and where it is: `module:attribute`.

    To list them all with their first lines, as `--help` does, loads them all.
    """

    def __init__(self, *arguments: object, places: Mapping[str, str], **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, those kept in places first, in their order."""
        return [*self._places, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, loaded; None if there is none."""
        place = self._places.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what keeps this machine's servers from running is a refusal."""
        try:
            return super().invoke(ctx)
        except StandaloneError as error:
            raise Refused(str(error)) from None
