"""Starts the embedded PostgreSQL and Redis, and waits until the servers in use answer."""

from collections.abc import Mapping

from cli.commands.up.environment import is_embedded
from config.stop_signals import StopRequest
from standalone.data_directory import DataDirectory
from standalone.embedded import postgres_command, redis_command
from standalone.embedded_redis.directory import damage_of_snapshot, prepare_redis_directory
from standalone.embedded_redis.server import redis_server
from standalone.errors import StandaloneError
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
        _prepare_redis(data, supervisor)
        supervisor.start([redis_command(data)])
    if is_embedded("DATABASE_URL"):
        if not (data.postgres / "PG_VERSION").exists():
            supervisor.log("first start: setting up PostgreSQL")
        elif (data.postgres / "postmaster.pid").exists():
            supervisor.log("PostgreSQL was killed last time; it replays its log first")
        supervisor.start([postgres_command(data)])

    def keep_waiting() -> bool:
        reason = supervisor.failed("redis")
        if reason:
            raise StandaloneError(
                damage_of_snapshot(data.redis, redis_server())
                or f"The embedded Redis does not start ({reason})."
                f" Its data is in {data.redis}, its log in {data.logs / 'redis.log'}."
            )
        # PostgreSQL ends at once while a killed one is still shutting down, so restart it.
        supervisor.restart_ended()
        return not stopping.is_set()

    for wait, variable, log in (
        (wait_for_redis, "REDIS_URL", data.logs / "redis.log"),
        (wait_for_postgres, "DATABASE_URL", data.logs / "postgres.log"),
    ):
        if is_embedded(variable):
            wait(environment[variable], START_SECONDS, keep_waiting=keep_waiting, log=log)
        else:
            wait(environment[variable], ANSWER_SECONDS, keep_waiting=keep_waiting)


def _prepare_redis(data: DataDirectory, supervisor: Supervisor) -> None:
    try:
        for line in prepare_redis_directory(data.redis, redis_server()):
            supervisor.log(line)
    except OSError as error:
        raise data.unusable(error) from None
