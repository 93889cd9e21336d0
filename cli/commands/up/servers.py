"""Starts the embedded PostgreSQL and Redis, and waits until the servers in use answer."""

from collections.abc import Mapping

from cli.commands.up.environment import is_embedded
from config.stop_signals import StopRequest
from standalone.data_directory import DataDirectory
from standalone.embedded import postgres_command, redis_command
from standalone.supervisor import Supervisor
from standalone.waiting import ANSWER_SECONDS, START_SECONDS, wait_for_postgres, wait_for_redis


def start_servers(
    data: DataDirectory,
    supervisor: Supervisor,
    environment: Mapping[str, str],
    stopping: StopRequest,
) -> None:
    """Start the embedded servers, and wait for them or for the configured ones.

    Raises:
        StandaloneError: a server cannot be set up or does not answer, or `stopping` was set.
    """
    if is_embedded("REDIS_URL"):
        supervisor.start([redis_command(data)])
    if is_embedded("DATABASE_URL"):
        if not (data.postgres / "PG_VERSION").exists():
            supervisor.log("first start: setting up PostgreSQL")
        elif (data.postgres / "postmaster.pid").exists():
            supervisor.log("PostgreSQL was killed last time; it replays its log first")
        supervisor.start([postgres_command(data)])

    def keep_waiting() -> bool:
        # A server ends at once while a killed one is still shutting down, so restart it.
        supervisor.restart_ended()
        return not stopping.is_set()

    for wait, variable in (wait_for_redis, "REDIS_URL"), (wait_for_postgres, "DATABASE_URL"):
        seconds = START_SECONDS if is_embedded(variable) else ANSWER_SECONDS
        wait(environment[variable], seconds, keep_waiting=keep_waiting)
