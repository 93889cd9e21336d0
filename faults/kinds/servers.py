"""PostgreSQL and Redis that are paused, killed, lose their connections, or refuse writes."""

import os
import signal
import time
from contextlib import suppress
from functools import partial

import psutil
import redis

from faults.product import Product
from faults.stage import Fault, Stage

PAUSES_SECONDS = (3.0, 10.0)
REFUSED_SECONDS = 3.0
CUTS = 5
KILLS = 3
BETWEEN_KILLS_SECONDS = 4.0
BETWEEN_CUTS_SECONDS = 1.0


def _postgres(product: Product) -> list[psutil.Process]:
    [(pid,)] = product.query(
        "select pg_read_file('postmaster.pid', 0, 20)::text"  # its first line is the process id
    )
    server = psutil.Process(int(pid.split()[0]))
    return [server, *server.children(recursive=True)]


def _pause_postgres(stage: Stage, seconds: float) -> None:
    processes = _postgres(stage.product)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    time.sleep(seconds)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.resume()


def _cut_connections(stage: Stage) -> None:
    for _ in range(CUTS):
        with suppress(Exception):  # our own connection is one of them
            stage.product.query(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        with suppress(redis.RedisError):
            stage.product.redis.client_kill_filter(_type="normal", skipme=False)
        with suppress(redis.RedisError):
            stage.product.redis.script_flush()
        time.sleep(BETWEEN_CUTS_SECONDS)


def _kill_redis(stage: Stage) -> None:
    for _ in range(KILLS):
        with suppress(redis.ConnectionError):
            os.kill(stage.product.redis.info("server")["process_id"], signal.SIGKILL)
        time.sleep(BETWEEN_KILLS_SECONDS)


def _refuse_writes(stage: Stage) -> None:
    stage.product.redis.config_set("min-replicas-to-write", 1)
    time.sleep(REFUSED_SECONDS)
    stage.product.redis.config_set("min-replicas-to-write", 0)
    time.sleep(REFUSED_SECONDS)


FAULTS = [
    *(
        Fault(
            f"PostgreSQL paused for {seconds:g} s",
            partial(_pause_postgres, seconds=seconds),
            brief=seconds == min(PAUSES_SECONDS),
        )
        for seconds in PAUSES_SECONDS
    ),
    Fault("all connections cut five times", _cut_connections),
    Fault("Redis killed three times", _kill_redis),
    Fault(f"Redis refuses writes for {REFUSED_SECONDS:g} s", _refuse_writes, brief=True),
]
