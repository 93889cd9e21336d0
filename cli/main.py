"""`brazebee`: the commands, in the order in which a newcomer meets them."""

import click

from cli.connection import find_settings
from cli.lazy_group import LazyGroup
from cli.output import json_option, print_json
from cli.up.waiting import ANSWER_SECONDS, wait_for_postgres
from models.database import connect
from models.migrations import migrate as run_migrations

PLACES = {
    "up": "cli.up.command:up",
    "org": "cli.organizations:org",
    "keys": "cli.keys:keys",
    "people": "cli.people:people",
    "rules": "cli.rules.group:rules",
    "apply": "cli.rules.versions:apply",
    "webhooks": "cli.webhooks:webhooks",
    "deliveries": "cli.deliveries:deliveries",
    "companies": "cli.companies:list_companies",
    "explain": "cli.companies:explain_company",
    "flags": "cli.flags:flags",
    "demo": "cli.demo:demo",
    "demo-data": "cli.demo_data.command:demo_data",
    "metrics": "cli.metrics:metrics",
    "clock": "cli.clock:clock",
}


@click.group(cls=LazyGroup, places=PLACES, context_settings={"help_option_names": ["-h", "--help"]})
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
