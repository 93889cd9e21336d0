"""`brazebee up`: the servers, the migrations, the Procfile's processes, a newcomer's welcome."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import requests
from honcho.environ import parse_procfile

from cli.commands.up.first_start import DEFAULT_ORGANIZATION, prepare
from cli.commands.up.rule_file_watch import RuleFileWatch
from cli.commands.up.welcome import LOOPBACK, welcome
from cli.errors import Refused
from config.files import HEALTH_RULES, PROCFILE, ROOT
from config.settings import Settings, SettingsError
from models.database import connect
from standalone.data_directory import DEFAULT, VARIABLE, DataDirectory, Running
from standalone.embedded import postgres_command, postgres_url, redis_command, redis_url
from standalone.leftovers import end_leftovers
from standalone.supervisor import Command, Supervisor
from standalone.waiting import ANSWER_SECONDS, START_SECONDS, wait_for_postgres, wait_for_redis

READY_SECONDS = 30.0
HIGHEST_PORT = 65535
STOP_SECONDS = 25.0
STOP_ORDER = (
    ("web", "dashboard"),
    ("clock", "persist", "evaluate", "deliver"),
    ("redis",),
    ("postgres",),
)
"""First no more events come in, then what is under way is finished, then the servers go."""


@dataclass(frozen=True)
class Options:
    """What `up` was asked for; `scale` is how many of each process to run, `rules` is watched."""

    host: str
    port: int
    dashboard_port: int
    data: DataDirectory
    scale: Mapping[str, int]
    rules: Path

    @property
    def base_url(self) -> str:
        """Where clients reach the ingress from this machine."""
        return self._url(self.port)

    @property
    def dashboard_url(self) -> str | None:
        """Where people reach the dashboard from this machine; None if it is not to run."""
        return self._url(self.dashboard_port) if self.scale.get("dashboard", 1) else None

    def _url(self, port: int) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _parse_scale(_context: click.Context, _parameter: click.Parameter, text: str) -> dict[str, int]:
    scale = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.strip().partition("=")
        if name not in _processes() or not number.isdigit() or not 0 <= int(number) <= 64:
            raise click.BadParameter(
                f"`{part}` is not NAME=NUMBER with a name among {', '.join(_processes())}"
            )
        scale[name] = int(number)
    return scale


@click.command()
@click.option("--host", envvar="BRAZEBEE_HOST", default="127.0.0.1", show_default=True,
              help="Address to listen on.")  # fmt: skip
@click.option("--port", envvar="PORT", type=click.IntRange(1, 65535), default=8000,
              show_default=True, help="Port to listen on; also PORT.")  # fmt: skip
@click.option("--dashboard-port", envvar="BRAZEBEE_DASHBOARD_PORT",
              type=click.IntRange(1, 65535), default=None,
              help="Port of the dashboard; also BRAZEBEE_DASHBOARD_PORT."
              "  [default: the one after --port]")  # fmt: skip
@click.option("--data-dir", envvar=VARIABLE, type=click.Path(path_type=Path, file_okay=False),
              default=DEFAULT, show_default=True,
              help=f"Where everything is kept; also {VARIABLE}.")  # fmt: skip
@click.option("--scale", callback=_parse_scale, default="", metavar="NAME=N,...",
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
    """Start everything here and run until stopped.

    PostgreSQL and Redis are embedded unless DATABASE_URL and REDIS_URL are set.
    """
    options = Options(
        host,
        port,
        dashboard_port or (port + 1 if port < HIGHEST_PORT else port - 1),
        DataDirectory(data_dir),
        scale,
        rules or HEALTH_RULES,
    )
    with options.data.claimed():
        _run(options, _stop_on_signals())


def _stop_on_signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set, however often they come."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _run(options: Options, stopping: threading.Event) -> None:
    left = end_leftovers(options.data.processes, STOP_ORDER)
    _check_ports(options)
    environment, settings = _environment(options)
    supervisor = Supervisor(environment, record=options.data.processes)
    if left:
        supervisor.say(f"ended {left} processes that an earlier start had left behind")
    try:
        _start_servers(options, supervisor, environment, stopping)
        connect(settings)
        first = prepare(options.rules, settings.admin_email)
        watch = RuleFileWatch(options.rules, DEFAULT_ORGANIZATION, supervisor.say)
        options.data.announce(
            Running(os.getpid(), options.base_url, _shared(environment), options.dashboard_url)
        )
        supervisor.start(_procfile_commands(options.scale))
        if _wait_until_ready(options, supervisor, stopping) or first.made_anything:
            supervisor.say("ready")
            click.echo(welcome(options.base_url, options.dashboard_url, environment, first))
        while not stopping.wait(0.25):
            supervisor.restart_ended()
            watch.look()
        supervisor.say("stopping")
    finally:
        supervisor.stop(STOP_ORDER, STOP_SECONDS)
    supervisor.say("stopped; everything is kept in " + str(options.data.root))


def _check_ports(options: Options) -> None:
    _check_port(options.host, options.port, "--port or PORT")
    if options.dashboard_url:
        if options.dashboard_port == options.port:
            raise Refused(f"The dashboard needs a port of its own, not {options.port} too.")
        choice = "--dashboard-port or BRAZEBEE_DASHBOARD_PORT"
        _check_port(options.host, options.dashboard_port, choice)


def _check_port(host: str, port: int, choice: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                f"{host}:{port} cannot be listened on: {error.strerror}."
                f" Choose another with {choice}."
            ) from None


def _environment(options: Options) -> tuple[dict[str, str], Settings]:
    """The environment of every process, and the settings in it."""
    defaults = {
        "DATABASE_URL": postgres_url(options.data),
        "REDIS_URL": redis_url(options.data),
        "BRAZEBEE_SECRET_KEY": options.data.secret_key(),
    }
    if _embedded("DATABASE_URL"):
        defaults["BRAZEBEE_WEBHOOK_ALLOW_NETS"] = LOOPBACK
    given = {name: value for name, value in os.environ.items() if value.strip()}
    environment = defaults | given
    environment |= {
        "BRAZEBEE_HOST": options.host,
        "PORT": str(options.port),
        "BRAZEBEE_DASHBOARD_PORT": str(options.dashboard_port),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
    }
    try:
        return environment, Settings.from_environment(environment)
    except SettingsError as error:
        raise Refused(str(error)) from None


def _embedded(variable: str) -> bool:
    return not os.environ.get(variable, "").strip()


def _shared(environment: Mapping[str, str]) -> dict[str, str]:
    """What other commands need in order to work on the same servers."""
    return {
        name: value
        for name, value in environment.items()
        if name in ("DATABASE_URL", "REDIS_URL") or name.startswith("BRAZEBEE_")
    }


def _start_servers(
    options: Options,
    supervisor: Supervisor,
    environment: Mapping[str, str],
    stopping: threading.Event,
) -> None:
    if _embedded("REDIS_URL"):
        supervisor.start([redis_command(options.data)])
    if _embedded("DATABASE_URL"):
        if not (options.data.postgres / "PG_VERSION").exists():
            supervisor.say("first start: setting up PostgreSQL")
        elif (options.data.postgres / "postmaster.pid").exists():
            supervisor.say("PostgreSQL was killed last time, and reads its log again first")
        supervisor.start([postgres_command(options.data)])

    def go_on() -> bool:
        supervisor.restart_ended()  # it may have found one that was killed not quite gone
        return not stopping.is_set()

    for wait, variable in (wait_for_redis, "REDIS_URL"), (wait_for_postgres, "DATABASE_URL"):
        seconds = START_SECONDS if _embedded(variable) else ANSWER_SECONDS
        wait(environment[variable], seconds, go_on=go_on)


def _processes() -> dict[str, str]:
    """The Procfile's lines that run on, by name."""
    lines: dict[str, str] = parse_procfile(PROCFILE.read_text(encoding="utf-8")).processes
    return {name: line for name, line in lines.items() if name != "release"}


def _procfile_commands(scale: Mapping[str, int]) -> list[Command]:
    return [
        Command(name=f"{name}.{number}", arguments=line)
        for name, line in _processes().items()
        for number in range(1, scale.get(name, 1) + 1)
    ]


def _wait_until_ready(options: Options, supervisor: Supervisor, stopping: threading.Event) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    waiting_for = [options.base_url, *filter(None, [options.dashboard_url])]
    with requests.Session() as session:
        session.trust_env = False  # a proxy could not find our loopback
        while time.monotonic() < deadline and not stopping.wait(0.1):
            supervisor.restart_ended()
            try:
                while waiting_for and session.get(f"{waiting_for[0]}/readyz", timeout=1).ok:
                    waiting_for.pop(0)
            except requests.RequestException:
                continue
            if not waiting_for:
                return True
    if not stopping.is_set():
        supervisor.say(f"{' and '.join(waiting_for)} does not answer yet; see the lines above")
    return False
