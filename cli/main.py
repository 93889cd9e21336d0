"""The command `brazebee`: its subcommands, in the order in which a newcomer needs them."""

import click

from cli.connection import find_settings
from cli.lazy_group import LazyGroup
from cli.output import json_option, print_json
from models import migrations
from models.database import connect
from standalone.waiting import ANSWER_SECONDS, wait_for_postgres

IMPORT_PATHS = {
    "up": "cli.commands.up.command:up",
    "org": "cli.commands.organizations:org",
    "keys": "cli.commands.keys:keys",
    "people": "cli.commands.people:people",
    "rules": "cli.commands.rules.group:rules",
    "apply": "cli.commands.rules.apply:apply",
    "import": "cli.commands.imports.group:imports",
    "webhooks": "cli.commands.webhooks:webhooks",
    "deliveries": "cli.commands.deliveries:deliveries",
    "notify": "cli.commands.notifications.group:notify",
    "secrets": "cli.commands.secrets:secrets",
    "events": "cli.commands.events.group:events",
    "rejected": "cli.commands.rejected:rejected",
    "companies": "cli.commands.companies:list_companies",
    "explain": "cli.commands.companies:explain_company",
    "flags": "cli.commands.flags:flags",
    "demo": "cli.commands.demo:demo",
    "demo-data": "cli.commands.demo_data:demo_data",
    "metrics": "cli.commands.metrics:metrics",
    "clock": "cli.commands.clock:clock",
}


@click.group(
    cls=LazyGroup,
    import_paths=IMPORT_PATHS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="brazebee")
def main() -> None:
    """Customer health from product events.

    Exit codes: 0 success, 1 refused with the reason on standard error, 2 wrong usage.
    """


@main.command()
@click.option("--post", is_flag=True,
              help="Also apply the migrations that must wait until no process of the"
              " previous release is running.")  # fmt: skip
@json_option
def migrate(post: bool, as_json: bool) -> None:
    """Bring the database's schema up to date; safe to run at every deploy."""
    settings = find_settings()
    wait_for_postgres(settings.database_url, ANSWER_SECONDS)
    connect(settings)
    applied = migrations.migrate(post=post)
    if as_json:
        print_json({"applied": applied})
        return
    click.echo(f"Applied {', '.join(applied)}." if applied else "The schema is up to date.")
    if waiting := migrations.pending():
        click.echo(
            f"Run `brazebee migrate --post` once no process of the previous release is running; it"
            f" applies {', '.join(waiting)}."
        )
