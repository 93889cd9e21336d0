"""Every command says how it is used."""

import re

import pytest
from click.testing import CliRunner

from cli.main import main

COMMANDS = (
    ["up"], ["migrate"], ["clock"], ["demo"], ["demo-data"], ["apply"], ["companies"], ["explain"],
    ["org", "create"], ["org", "list"], ["org", "delete"], ["keys", "create"], ["keys", "list"],
    ["keys", "revoke"],
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
def test_every_command_helps(command: list[str]) -> None:
    helped = CliRunner().invoke(main, [*command, "--help"], prog_name="brazebee")
    assert helped.exit_code == 0
    assert helped.output.startswith("Usage: brazebee " + " ".join(command))


def test_all_commands_are_listed_with_what_they_do() -> None:
    helped = CliRunner().invoke(main, ["--help"])
    assert helped.exit_code == 0
    for name, *_ in COMMANDS:
        assert re.search(rf"^  {name} +[A-Z]", helped.output, re.MULTILINE), name


def test_what_is_no_command_is_wrong_usage() -> None:
    refused = CliRunner().invoke(main, ["comanies"])
    assert refused.exit_code == 2
    assert "No such command 'comanies'" in refused.stderr
