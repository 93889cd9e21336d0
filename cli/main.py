"""`brazebee`: the commands, in the order in which a newcomer meets them."""

import click

from cli.clock import clock
from cli.companies import explain_company, list_companies
from cli.connection import find_settings
from cli.deliveries import deliveries
from cli.demo import demo
from cli.demo_data.command import demo_data
from cli.flags import flags
from cli.keys import keys
from cli.metrics import metrics
from cli.organizations import org
from cli.output import json_option, print_json
from cli.people import people
from cli.rules.group import rules
from cli.rules.versions import apply
from cli.up.command import up
from cli.up.embedded import ANSWER_SECONDS, wait_for_postgres
from cli.webhooks import webhooks
from models.database import connect
from models.migrations import migrate as run_migrations


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="brazebee")
def main() -> None:
    """Customer health from product events.

    Exit codes: 0 done, 1 refused with the reason on standard error, 2 wrong usage.
    """


@main.command()
@json_option
def migrate(as_json: bool) -> None:
    """Bring the database's schema up to date; safe to run at every deploy."""
    settings = find_settings()
    wait_for_postgres(settings.database_url, ANSWER_SECONDS)
    connect(settings)
    applied = run_migrations()
    if as_json:
        print_json({"applied": applied})
        return
    click.echo(f"Applied {', '.join(applied)}." if applied else "The schema is up to date.")


for command in (
    up, org, keys, people, rules, apply, webhooks, deliveries, list_companies, explain_company,
    flags, demo, demo_data, metrics, clock,
):  # fmt: skip
    main.add_command(command)
