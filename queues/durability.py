"""What the settings of Redis promise for events that were accepted and are not stored yet."""

import logging
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError, ResponseError

logger = logging.getLogger("brazebee.ingress")

_SETTINGS = ("appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy")


@dataclass(frozen=True)
class Durability:
    """The settings of Redis that decide it; None if Redis does not let them be read."""

    appendonly: str | None
    appendfsync: str | None
    no_appendfsync_on_rewrite: str | None
    maxmemory_policy: str | None

    @property
    def is_weak(self) -> bool:
        """Whether a restart of Redis, or a full memory, may lose accepted events."""
        return self.appendonly == "no" or self._evicts

    @property
    def survives(self) -> str:
        """What accepted events survive, in words that complete "accepted events survive"."""
        text = self._flushed
        if self._evicts:
            text += (
                f"; but not a full memory: maxmemory-policy {self.maxmemory_policy} removes them"
            )
        return text

    @property
    def _evicts(self) -> bool:
        return (self.maxmemory_policy or "").startswith("allkeys-")

    @property
    def _flushed(self) -> str:
        if self.appendonly is None or self.appendfsync is None:
            return "unknown: Redis does not let its settings be read (CONFIG GET)"
        if self.appendonly == "no":
            return "nothing, not even a restart of Redis (appendonly no)"
        if self.appendfsync == "everysec":
            return (
                "a restart of Redis; a kill or a power cut may lose two seconds"
                " (appendfsync everysec)"
            )
        if self.appendfsync != "always":
            return (
                "a restart of Redis; a power cut may lose half a minute"
                f" (appendfsync {self.appendfsync})"
            )
        if self.no_appendfsync_on_rewrite == "yes":
            return (
                "a kill of Redis; a power cut may lose what was written during a rewrite"
                " (no-appendfsync-on-rewrite yes)"
            )
        return "a power cut"


def read_durability(client: Redis) -> Durability:
    """Read the settings.

    Raises:
        RedisError: Redis does not answer.
    """
    with client.pipeline(transaction=False) as pipeline:
        pipeline.ping()
        for setting in _SETTINGS:  # several at once need Redis 7
            pipeline.config_get(setting)
        pong, *answers = pipeline.execute(raise_on_error=False)
    if isinstance(pong, Exception):
        raise pong
    return Durability(*map(_value, answers, _SETTINGS))


def log_durability(client: Redis) -> None:
    """Log what accepted events survive, as a warning if that is little; nothing without Redis."""
    try:
        durability = read_durability(client)
    except RedisError:
        return
    level = logging.WARNING if durability.is_weak else logging.INFO
    logger.log(level, "accepted events survive: %s", durability.survives)


def _value(answer: object, setting: str) -> str | None:
    """Return the value of a setting; None if CONFIG is not allowed, or unknown, there."""
    if isinstance(answer, ResponseError) or not isinstance(answer, dict):
        return None
    value = answer.get(setting)
    return None if value is None else str(value)
