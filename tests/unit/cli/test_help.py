"""Every command has a help text."""

import re

import pytest
from click.testing import CliRunner

from cli.main import main

COMMANDS = (
    ["up"], ["migrate"], ["clock"], ["demo"], ["demo-data"], ["apply"], ["companies"], ["explain"],
    ["org", "create"], ["org", "list"], ["org", "delete"], ["keys", "create"], ["keys", "list"],
    ["keys", "set-scopes"], ["keys", "revoke"],
    ["people", "add"], ["people", "list"], ["people", "set-role"], ["people", "remove"],
    ["people", "set-password"], ["people", "disable"], ["people", "enable"],
    ["webhooks", "add"], ["webhooks", "list"], ["webhooks", "show"], ["webhooks", "remove"],
    ["webhooks", "enable"], ["webhooks", "disable"], ["webhooks", "rotate-secret"],
    ["webhooks", "test"], ["deliveries", "list"], ["deliveries", "show"],
    ["deliveries", "resend"], ["deliveries", "recover"],
    ["rules", "check"], ["rules", "schema"], ["rules", "test"], ["rules", "plan"],
    ["rules", "apply"], ["rules", "history"], ["rules", "show"], ["rules", "rollback"],
    ["rules", "backtest"], ["rules", "explain"], ["rules", "forecast"],
    ["flags", "snooze"], ["flags", "override"], ["flags", "end"], ["flags", "list"],
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"], prog_name="brazebee")
    assert result.exit_code == 0
    assert result.output.startswith("Usage: brazebee " + " ".join(command))


def test_all_commands_are_listed_with_a_description() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, *_ in COMMANDS:
        assert re.search(rf"^  {name} +[A-Z]", result.output, re.MULTILINE), name


def test_an_unknown_command_is_wrong_usage() -> None:
    result = CliRunner().invoke(main, ["comanies"])
    assert result.exit_code == 2
    assert "No such command 'comanies'" in result.stderr
