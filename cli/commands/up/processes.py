"""The processes of the Procfile, and how many of each to run."""

from collections.abc import Mapping

import click
from honcho.environ import parse_procfile

from config.files import PROCFILE
from standalone.supervisor import Command

MAXIMUM_SCALE = 64


def procfile_commands(scale: Mapping[str, int]) -> list[Command]:
    """Return the commands to run, named `persist.1`, `persist.2` and so on."""
    return [
        Command(name=f"{name}.{number}", arguments=line)
        for name, line in _process_lines().items()
        for number in range(1, scale.get(name, 1) + 1)
    ]


def parse_scale(_context: click.Context, _parameter: click.Parameter, text: str) -> dict[str, int]:
    """Read the option `--scale`, such as `persist=2,deliver=2`.

    Raises:
        BadParameter: a part is not NAME=NUMBER with a process of the Procfile.
    """
    names = _process_lines().keys()
    scale = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.strip().partition("=")
        if name not in names or not number.isdigit() or int(number) > MAXIMUM_SCALE:
            raise click.BadParameter(
                f"`{part}` is not NAME=NUMBER with a name among {', '.join(names)}"
            )
        scale[name] = int(number)
    return scale


def _process_lines() -> dict[str, str]:
    """Return the Procfile's lines by name, without `release`, which does not keep running."""
    lines: dict[str, str] = parse_procfile(PROCFILE.read_text(encoding="utf-8")).processes
    return {name: line for name, line in lines.items() if name != "release"}
