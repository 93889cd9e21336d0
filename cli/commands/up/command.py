"""The command `brazebee up`: its options, and the run from the first server to the last."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from cli.commands.rules.files import url_keeper
from cli.commands.up.environment import process_environment, shared_variables
from cli.commands.up.first_start import DEFAULT_ORGANIZATION, prepare
from cli.commands.up.options import Options
from cli.commands.up.ports import check_ports
from cli.commands.up.processes import parse_scale, procfile_commands
from cli.commands.up.readiness import wait_until_ready
from cli.commands.up.rule_file_watch import RuleFileWatch
from cli.commands.up.servers import start_servers
from cli.commands.up.welcome import welcome
from config.files import HEALTH_RULES
from config.stop_signals import StopRequest, stop_on_signals
from models.database import connect
from standalone.data_directory import (
    DATA_DIRECTORY_VARIABLE,
    DEFAULT_DATA_DIRECTORY,
    DataDirectory,
    RunningInstance,
)
from standalone.errors import StandaloneError
from standalone.leftovers import end_leftovers
from standalone.supervisor import Supervisor

MAXIMUM_PORT = 65535
STOP_SECONDS = 25.0
STOP_ORDER = (
    ("web", "dashboard", "clock", "persist", "evaluate", "deliver", "backtest"),
    ("redis",),
    ("postgres",),
)
"""First finish the requests and the work in progress, then stop the servers. What is accepted
meanwhile waits in the journal for the next start."""


@click.command()
@click.option("--host", envvar="BRAZEBEE_HOST", default="127.0.0.1", show_default=True,
              help="Address to listen on.")  # fmt: skip
@click.option("--port", envvar="PORT", type=click.IntRange(1, MAXIMUM_PORT), default=8000,
              show_default=True, help="Port to listen on; also PORT.")  # fmt: skip
@click.option("--dashboard-port", envvar="BRAZEBEE_DASHBOARD_PORT",
              type=click.IntRange(1, MAXIMUM_PORT), default=None,
              help="Port of the dashboard; also BRAZEBEE_DASHBOARD_PORT."
              "  [default: the port after --port]")  # fmt: skip
@click.option("--data-dir", envvar=DATA_DIRECTORY_VARIABLE,
              type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_DATA_DIRECTORY,
              show_default=True,
              help=f"Directory of all data; also {DATA_DIRECTORY_VARIABLE}.")  # fmt: skip
@click.option("--scale", callback=parse_scale, default="", metavar="NAME=N,...",
              help="How many of a process to run, such as persist=2,deliver=2.")  # fmt: skip
@click.option("--rules", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="Rule file to watch and apply.  [default: config/health.yaml]")  # fmt: skip
def up(
    host: str,
    port: int,
    dashboard_port: int | None,
    data_dir: Path,
    scale: Mapping[str, int],
    rules: Path | None,
) -> None:
    """Start everything on this machine, and run until stopped.

    PostgreSQL and Redis are embedded unless DATABASE_URL and REDIS_URL are set.
    """
    stopping = stop_on_signals()
    options = Options(
        host,
        port,
        dashboard_port or (port + 1 if port < MAXIMUM_PORT else port - 1),
        DataDirectory(data_dir),
        scale,
        rules or HEALTH_RULES,
    )
    with options.data.claimed():
        _run(options, stopping)


def _run(options: Options, stopping: StopRequest) -> None:
    ended = end_leftovers(options.data.processes, STOP_ORDER)
    check_ports(options)
    environment, settings = process_environment(options)
    supervisor = Supervisor(environment, record=options.data.processes)
    if ended:
        supervisor.log(f"ended {ended} processes that an earlier start had left behind")
    try:
        start_servers(options.data, supervisor, environment, stopping)
        connect(settings)
        first = prepare(options.rules, settings)
        watch = RuleFileWatch(
            options.rules,
            DEFAULT_ORGANIZATION,
            supervisor.log,
            url_keeper(settings, "brazebee up"),
        )
        options.data.announce(
            RunningInstance(
                os.getpid(), options.base_url, shared_variables(environment), options.dashboard_url
            )
        )
        if not stopping.is_set():
            supervisor.start(procfile_commands(options.scale))
        if wait_until_ready(options, supervisor, stopping) or first.created_anything:
            supervisor.log("ready")
            click.echo(welcome(options.base_url, options.dashboard_url, environment, first))
        while not stopping.wait(0.25):
            supervisor.restart_ended()
            watch.check()
        supervisor.log("stopping")
    except StandaloneError:
        if not stopping.is_set():
            raise
    finally:
        supervisor.stop(STOP_ORDER, STOP_SECONDS)
    supervisor.log(f"stopped; all data is kept in {options.data.root}")
