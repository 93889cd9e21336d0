"""The command line as click knows it."""

from functools import cache

import click

from cli.main import main

HELP = ("-h", "--help")


@cache
def every_command() -> dict[str, click.Command]:
    """The commands by their full names, without groups that do nothing by themselves."""
    return dict(_below(main, "brazebee"))


def _below(group: click.Group, name: str) -> list[tuple[str, click.Command]]:
    context = click.Context(group)
    found = []
    for part in group.list_commands(context):
        command = group.get_command(context, part)
        assert command is not None
        inner = f"{name} {part}"
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found.append((inner, command))
        if isinstance(command, click.Group):
            found += _below(command, inner)
    return found


def options(command: click.Command) -> list[click.Option]:
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def arguments(command: click.Command) -> list[str]:
    """The placeholders of a command's arguments, as its usage line has them."""
    context = click.Context(command)
    return [
        parameter.make_metavar(context)
        for parameter in command.params
        if isinstance(parameter, click.Argument)
    ]


def default_of(option: click.Option) -> str | None:
    """An option's default as a text, None if there is none worth a word."""
    if option.is_flag:
        return option.opts[0] if option.secondary_opts and option.default else None
    return str(option.default) if option.default and isinstance(option.default, str | int) else None
