"""How far the forecast of an organization's companies is up to date, and its refresh in progress.

`evaluated_until` and the bounds of a refresh are times of the database's clock, as is
`companies.evaluated_at`; the others are of the application's.
"""

from dataclasses import dataclass
from datetime import datetime

from models.database import execute, query

ASKED_EVERY = "1 hour"
"""How exactly it is known when people last looked."""


@dataclass(frozen=True)
class Refresh:
    """A refresh of the companies that were evaluated after `since`, or of all if that is None.

    It began at `at`, which is `until` by the database's clock, and has reached the company `after`.
    """

    at: datetime
    until: datetime
    since: datetime | None
    after: int


@dataclass(frozen=True)
class Forecast:
    """The state of a forecast; `as_of` is None until it is complete for the first time.

    The last refresh began at `as_of` and ended at `finished_at`; it has all evaluations up to
    `evaluated_until`. The last refresh of all companies began at `complete_at`.
    """

    as_of: datetime | None
    evaluated_until: datetime | None
    complete_at: datetime | None
    finished_at: datetime | None
    refresh: Refresh | None


_COLUMNS = (
    "as_of, evaluated_until, complete_at, finished_at,"
    " refresh_at, refresh_until, refresh_since, refresh_after"
)


def find(organization_id: int) -> Forecast | None:
    """Return the state of a forecast; None if nobody has asked for it yet."""
    return _find(organization_id, "")


def lock(organization_id: int) -> Forecast | None:
    """Lock and return a forecast until the transaction ends; None if another process has it."""
    return _find(organization_id, " for update skip locked")


def _find(organization_id: int, then: str) -> Forecast | None:
    rows = query(
        f"select {_COLUMNS} from forecasts where organization_id = %(organization_id)s{then}",
        {"organization_id": organization_id},
    )
    if not rows:
        return None
    [row] = rows
    at, until, since, after = (
        row.pop(f"refresh_{name}") for name in ("at", "until", "since", "after")
    )
    return Forecast(**row, refresh=None if at is None else Refresh(at, until, since, after))


def ask(organization_id: int, at: datetime) -> None:
    """Record that somebody looked, so that the forecast is kept up to date for a while."""
    execute(
        "insert into forecasts (organization_id, asked_at) values (%(organization_id)s, %(at)s)"
        " on conflict (organization_id) do update set asked_at = excluded.asked_at"
        f" where forecasts.asked_at < excluded.asked_at - interval '{ASKED_EVERY}'",
        {"organization_id": organization_id, "at": at},
    )


def begin_refresh(organization_id: int, at: datetime, *, since: datetime | None) -> Refresh:
    """Begin a refresh of a locked forecast."""
    [row] = query(
        "update forecasts set refresh_at = %(at)s, refresh_until = clock_timestamp(),"
        " refresh_since = %(since)s, refresh_after = 0"
        " where organization_id = %(organization_id)s returning refresh_until",
        {"organization_id": organization_id, "at": at, "since": since},
    )
    return Refresh(at, row["refresh_until"], since, 0)


def advance_refresh(organization_id: int, *, after: int) -> None:
    """Record the company that the refresh of a locked forecast has reached."""
    execute(
        "update forecasts set refresh_after = %(after)s"
        " where organization_id = %(organization_id)s",
        {"organization_id": organization_id, "after": after},
    )


def finish_refresh(organization_id: int, at: datetime) -> None:
    """End the refresh of a locked forecast, which is up to date with its beginning then."""
    execute(
        "update forecasts set as_of = refresh_at, evaluated_until = refresh_until,"
        " finished_at = %(at)s,"
        " complete_at = case when refresh_since is null then refresh_at else complete_at end,"
        " refresh_at = null, refresh_until = null, refresh_since = null, refresh_after = null"
        " where organization_id = %(organization_id)s",
        {"organization_id": organization_id, "at": at},
    )


def list_company_ids(organization_id: int, refresh: Refresh, *, limit: int) -> list[int]:
    """Return the next companies of a refresh, in the order of their ids."""
    rows = query(
        "select id from companies where organization_id = %(organization_id)s and id > %(after)s"
        + (" and evaluated_at > %(since)s" if refresh.since else "")
        + " order by id limit %(limit)s",
        {
            "organization_id": organization_id,
            "after": refresh.after,
            "since": refresh.since,
            "limit": limit,
        },
    )
    return [row["id"] for row in rows]


def count_evaluated(organization_id: int, *, since: datetime, most: int) -> int:
    """Count the companies that were evaluated since, `most` at most."""
    [row] = query(
        "select count(*) as number from (select from companies"
        " where organization_id = %(organization_id)s and evaluated_at > %(since)s"
        " limit %(most)s) evaluated",
        {"organization_id": organization_id, "since": since, "most": most},
    )
    number: int = row["number"]
    return number
