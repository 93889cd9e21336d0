"""`brazebee rules`: its commands, in the order in which a rule file meets them."""

import click

from cli.commands.companies import explain_company
from cli.commands.rules.backtest import backtest_rules
from cli.commands.rules.check import check, schema
from cli.commands.rules.prospects import forecast_changes, plan_rules
from cli.commands.rules.scenarios import test_rules
from cli.commands.rules.versions import apply, history, rollback, show


@click.group("rules")
def rules() -> None:
    """Health rules: check and test a file, see what it would do, apply it, undo it."""


for command in (
    check, schema, test_rules, plan_rules, apply, history, show, rollback, backtest_rules,
    explain_company, forecast_changes,
):  # fmt: skip
    rules.add_command(command)
