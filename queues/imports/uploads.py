"""Files that people have uploaded to be previewed, until they are imported or an hour has passed.

They are kept beside the queues since a later request may reach another process of the dashboard.
"""

import hashlib
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from redis import Redis
from redis.exceptions import RedisError

KEPT_FOR = timedelta(hours=1)
"""How long a file is kept after it was uploaded or last previewed."""

MOST_FILES = 5
"""Files of an organization. One more, and the one that was used least recently goes."""

_COMPRESSION = 3
"""A level that is quick, and takes most of a table away."""


FULL_FROM = 0.6
"""The share of Redis's memory above which no file is kept: accepted events need the rest."""


class RedisNearlyFull(RedisError):
    """Raised when Redis has no room for files."""


def digest_of(content: bytes) -> str:
    """Return what identifies a file by its content."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Upload:
    """A person's file, with what was noted about it."""

    name: str
    digest: str
    content: bytes
    notes: Mapping[str, Any]


class Uploads:
    """One file for each person in an organization, and for each organization a list of them."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def keep(self, organization_id: int, person_id: int, upload: Upload, now: datetime) -> None:
        """Keep a file in place of the person's former one.

        Raises:
            RedisError: Redis does not answer, or is nearly full.
        """
        memory: dict[str, Any] = self._client.info("memory")
        most = memory.get("maxmemory")
        if most and memory["used_memory"] > most * FULL_FROM:
            raise RedisNearlyFull("Redis has no room for files")
        key = _file(organization_id, person_id)
        fields: dict[Any, Any] = {
            "name": upload.name,
            "digest": upload.digest,
            "content": zlib.compress(upload.content, _COMPRESSION),
            "notes": orjson.dumps(upload.notes),
        }
        with self._client.pipeline() as pipe:
            pipe.delete(key)
            pipe.hset(key, mapping=fields)
            self._renew(pipe, organization_id, person_id, now)
            pipe.execute()
        self._drop_oldest(organization_id)

    def find(self, organization_id: int, person_id: int, digest: str) -> Upload | None:
        """Return a person's file; None if it has expired or was replaced.

        Raises:
            RedisError: Redis does not answer.
        """
        found: dict[bytes, bytes] = self._client.hgetall(_file(organization_id, person_id))  # type: ignore[assignment]
        if not found or not secrets.compare_digest(found[b"digest"], digest.encode()):
            return None
        return Upload(
            found[b"name"].decode(),
            digest,
            zlib.decompress(found[b"content"]),
            orjson.loads(found[b"notes"]),
        )

    def note(
        self, organization_id: int, person_id: int, notes: Mapping[str, Any], now: datetime
    ) -> None:
        """Replace what is noted about a person's file, which is then kept for another hour.

        Raises:
            RedisError: Redis does not answer.
        """
        with self._client.pipeline() as pipe:
            pipe.hset(_file(organization_id, person_id), "notes", orjson.dumps(notes))
            self._renew(pipe, organization_id, person_id, now)
            pipe.execute()

    def forget(self, organization_id: int, person_id: int) -> None:
        """Forget a person's file.

        Raises:
            RedisError: Redis does not answer.
        """
        self._client.delete(_file(organization_id, person_id))
        self._client.zrem(_files(organization_id), person_id)

    def forget_organization(self, organization_id: int) -> None:
        """Forget the files of a deleted organization.

        Raises:
            RedisError: Redis does not answer.
        """
        people: list[bytes] = self._client.zrange(_files(organization_id), 0, -1)  # type: ignore[assignment]
        self._client.delete(
            _files(organization_id), *(_file(organization_id, int(person)) for person in people)
        )

    def _renew(self, pipe: Any, organization_id: int, person_id: int, now: datetime) -> None:
        pipe.expire(_file(organization_id, person_id), KEPT_FOR)
        pipe.zadd(_files(organization_id), {str(person_id): now.timestamp()})
        pipe.expire(_files(organization_id), KEPT_FOR)

    def _drop_oldest(self, organization_id: int) -> None:
        key = _files(organization_id)
        oldest: list[bytes] = self._client.zrange(key, 0, -MOST_FILES - 1)  # type: ignore[assignment]
        for person_id in oldest:
            self.forget(organization_id, int(person_id))


def _file(organization_id: int, person_id: int) -> str:
    return f"brazebee:upload:{organization_id}:{person_id}"


def _files(organization_id: int) -> str:
    return f"brazebee:uploads:{organization_id}"
