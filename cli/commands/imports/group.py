"""The group `brazebee import`, which imports only the command that is called."""

import click

from cli.lazy_group import LazyGroup

IMPORT_PATHS = {
    "companies": "cli.commands.imports.customers:import_companies",
    "users": "cli.commands.imports.customers:import_users",
    "outcomes": "cli.commands.imports.outcomes:import_outcomes",
    "events": "cli.commands.imports.events:import_events",
}
"""Each command's name with its import path, in the order in which a newcomer needs them."""


@click.group("import", cls=LazyGroup, import_paths=IMPORT_PATHS)
def imports() -> None:
    """Load events, companies, users and outcomes from files. Running it again changes nothing."""
