"""The private names and Redis keys of Dramatiq that this package relies on.

Dramatiq offers no interface for a consumer that takes many messages as one, for enqueuing in the
same step that counts a request, for the age of the oldest message, or for a number of threads that
changes. Everything here was read from `dramatiq/brokers/redis.py`, `redis/dispatch.lua` and
`dramatiq/worker.py` of Dramatiq 2.2 and may change in any release, so `pyproject.toml` bounds the
version: compare these sources before raising the bound.
"""

import threading
from collections.abc import Collection

from dramatiq import Worker
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer, _scripts
from dramatiq.worker import _WorkerThread

RedisConsumer = _RedisConsumer
"""Its attributes `queued_message_ids` and `outstanding_message_count` are used as well."""

REDIS_ID = "redis_message_id"
"""The option of a message with its Redis id; a message that is enqueued twice has two."""

NAMESPACE = "dramatiq"
"""The first part of every key, unless a broker has another namespace."""


def queue_key(namespace: str, queue_name: str) -> str:
    """Return the key of the list of the ids of waiting messages, the oldest at its head."""
    return f"{namespace}:{queue_name}"


def messages_key(namespace: str, queue_name: str) -> str:
    """Return the key of the hash from id to encoded message, until it is acknowledged."""
    return f"{namespace}:{queue_name}.msgs"


def acks_key(namespace: str, worker_id: str, queue_name: str) -> str:
    """Return the key of the set of ids that a worker has taken and not acknowledged."""
    return f"{namespace}:__acks__.{worker_id}.{queue_name}"


def heartbeats_key(namespace: str) -> str:
    """Return the key of the sorted set of worker ids by the time of their last command, in ms."""
    return f"{namespace}:__heartbeats__"


def worker_id(broker: RedisBroker) -> str:
    """Return the id under which a broker takes messages."""
    return str(broker.broker_id)


def set_worker_id(broker: RedisBroker, worker_id: str) -> None:
    """Make a broker take messages under another id from now on."""
    broker.broker_id = worker_id


def go_on_when_full(broker: RedisBroker) -> None:
    """Let workers fetch and acknowledge although Redis's memory is full: they free some.

    Redis refuses the first write of a script if it may need memory, so another one comes first.
    """
    broker.scripts["dispatch"] = broker.client.register_script(
        b'redis.call("unlink", KEYS[1] .. ":none")\n' + _scripts["dispatch"]
    )


def fetch(broker: RedisBroker, queue_name: str, limit: int) -> list[bytes | None]:
    """Take up to `limit` messages from a queue; None is a message whose content is gone."""
    messages: list[bytes | None] = broker.do_fetch(queue_name, limit)
    return messages


def remove_taken(broker: RedisBroker, queue_name: str, contents: Collection[bytes]) -> None:
    """Remove the messages with these contents that this broker has taken."""
    acks = acks_key(broker.namespace, worker_id(broker), queue_name)
    messages = messages_key(broker.namespace, queue_name)
    taken = list(broker.client.smembers(acks))
    found = dict(zip(taken, broker.client.hmget(messages, taken), strict=True)) if taken else {}
    if redis_ids := [redis_id for redis_id, content in found.items() if content in contents]:
        with broker.client.pipeline(transaction=True) as pipeline:
            pipeline.srem(acks, *redis_ids)
            pipeline.hdel(messages, *redis_ids)
            pipeline.execute()


def requeue(broker: RedisBroker, queue_name: str, redis_ids: list[str]) -> None:
    """Return messages that this broker has taken to the tail of their queue."""
    broker.do_requeue(queue_name, *redis_ids)


def add_thread(worker: Worker) -> None:
    """Start another thread of a worker.

    Raises:
        RuntimeError: the system has no more threads.
    """
    threads = worker.workers
    try:
        worker._add_worker()  # noqa: SLF001 -- this module lists what is private
    except RuntimeError:
        threads[:] = [thread for thread in threads if thread.is_alive()]
        raise


def end_current_thread(worker: Worker) -> None:
    """End the current thread of a worker as soon as its message is acknowledged."""
    thread = threading.current_thread()
    if isinstance(thread, _WorkerThread) and thread in worker.workers:
        thread.stop()
        worker.workers.remove(thread)
