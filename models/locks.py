"""PostgreSQL's advisory locks: one number for each task that only one process may run at a time.

PostgreSQL releases a lock when its transaction or connection ends, so a process that is killed
never leaves one behind.
"""

from enum import IntEnum

from models.database import execute, query


class AdvisoryLock(IntEnum):
    """The numbers, spelling `bza` to `bze` and `tra` in ASCII.

    Processes of different releases run at the same time, so a number never changes.
    """

    FIRST_ADMINISTRATOR = 0x62_7A_61
    MIGRATIONS = 0x62_7A_62
    CLOCK = 0x62_7A_63
    TOTALS = 0x62_7A_64
    NEW_USERS = 0x62_7A_65
    """One lock for each organization, shared by those that add users."""
    TRANSITION_FEED = 0x74_72_61
    """One lock for each organization."""


def lock(advisory_lock: AdvisoryLock) -> None:
    """Wait for a lock and hold it until the current transaction ends."""
    execute("select pg_advisory_xact_lock(%(lock)s)", {"lock": advisory_lock.value})


def lock_for_organization(advisory_lock: AdvisoryLock, organization_id: int) -> None:
    """Wait for one organization's lock and hold it until the current transaction ends."""
    execute(
        "select pg_advisory_xact_lock(%(lock)s, hashint8(%(organization_id)s))",
        {"lock": advisory_lock.value, "organization_id": organization_id},
    )


def share_for_organization(advisory_lock: AdvisoryLock, organization_id: int) -> None:
    """Wait until nobody holds one organization's lock alone, and share it with others.

    It is held until the current transaction ends.
    """
    execute(
        "select pg_advisory_xact_lock_shared(%(lock)s, hashint8(%(organization_id)s))",
        {"lock": advisory_lock.value, "organization_id": organization_id},
    )


def try_lock(advisory_lock: AdvisoryLock) -> bool:
    """Take a lock until the current transaction ends; False if another process holds it."""
    return _try("pg_try_advisory_xact_lock", advisory_lock)


def try_lock_for_session(advisory_lock: AdvisoryLock) -> bool:
    """Take a lock until it is released or the connection closes; False if another holds it."""
    return _try("pg_try_advisory_lock", advisory_lock)


def release_for_session(advisory_lock: AdvisoryLock) -> None:
    """Release a lock that `try_lock_for_session` took on this connection."""
    query("select pg_advisory_unlock(%(lock)s)", {"lock": advisory_lock.value})


def _try(function: str, advisory_lock: AdvisoryLock) -> bool:
    [row] = query(f"select {function}(%(lock)s) as locked", {"lock": advisory_lock.value})
    return bool(row["locked"])
