"""The group `brazebee rules`, with its commands in the order of working on a rule file."""

import click

from cli.commands.companies import explain_company
from cli.commands.rules.apply import apply, rollback
from cli.commands.rules.backtest import backtest_rules
from cli.commands.rules.check import check, schema
from cli.commands.rules.planned_changes import forecast_changes, plan_rules
from cli.commands.rules.scenarios import test_rules
from cli.commands.rules.versions import history, show


@click.group("rules")
def rules() -> None:
    """Health rules: check and test a file, see what it would change, apply it, roll it back."""


for command in (
    check, schema, test_rules, plan_rules, apply, history, show, rollback, backtest_rules,
    explain_company, forecast_changes,
):  # fmt: skip
    rules.add_command(command)
