"""Backtests over all companies: what they replay, how far they are, and what they have found.

One backtest of an organization runs at a time, the oldest first. A worker owns it by a lease, and
every step is saved only while the lease is its own, so that each company counts once whatever
happens to workers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from models.database import execute, json, query
from models.outcomes.tables import BacktestRow

LEASE = timedelta(seconds=60)
"""How long a worker may take for a step; then another worker continues."""


class BacktestState(StrEnum):
    """The states of a backtest; the first two are unfinished."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class NewBacktest:
    """A backtest to run: the text of a draft, the version it began from, and the time to replay.

    `began_from` is the version that is compared with. It covers the companies with ids up to
    `last_id`, `companies` in number. `horizon` is how many days before a loss a warning counts.
    """

    source: str
    began_from: int
    since: datetime
    until: datetime
    horizon: int
    companies: int
    last_id: int
    started_by: str
    started_at: datetime


@dataclass(frozen=True)
class Backtest(NewBacktest):
    """A backtest; `totals` are those of the companies up to `after_id`, `replayed` in number."""

    organization_id: int
    id: int
    state: BacktestState
    replayed: int
    after_id: int
    totals: dict[str, Any] | None
    claims: int
    lease_token: UUID | None
    error: str | None
    finished_at: datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing will change any more."""
        return self.state not in (BacktestState.WAITING, BacktestState.RUNNING)

    @property
    def share(self) -> float:
        """The share of companies that were replayed, 0 to 1."""
        return self.replayed / self.companies if self.companies else 1.0


_COLUMNS = tuple(Backtest.__dataclass_fields__)
_LISTED = f"select {', '.join(_COLUMNS)} from backtests"
_ONE = "organization_id = %(organization_id)s and id = %(id)s"
_UNFINISHED = "state in ('waiting', 'running')"


def add(organization_id: int, new: NewBacktest) -> int:
    """Add a backtest that waits for its turn; return its id."""
    insert = BacktestRow.insert(
        organization=organization_id,
        **vars(new),
        state=BacktestState.WAITING.value,
        replayed=0,
        after_id=0,
        claims=0,
    )
    [backtest] = insert.returning(BacktestRow.id).execute()
    backtest_id: int = backtest.id
    return backtest_id


def find(organization_id: int, backtest_id: int) -> Backtest | None:
    """Return one backtest."""
    rows = query(f"{_LISTED} where {_ONE}", {"organization_id": organization_id, "id": backtest_id})
    return _backtest(rows[0]) if rows else None


def list_newest(organization_id: int, *, limit: int) -> list[Backtest]:
    """Return the newest backtests, without their totals."""
    names = ", ".join("null::jsonb as totals" if name == "totals" else name for name in _COLUMNS)
    rows = query(
        f"select {names} from backtests where organization_id = %(organization_id)s"
        " order by id desc limit %(limit)s",
        {"organization_id": organization_id, "limit": limit},
    )
    return [_backtest(row) for row in rows]


def count_unfinished(organization_id: int) -> int:
    """Count the backtests that wait or run."""
    [row] = query(
        "select count(*) as number from backtests"
        f" where organization_id = %(organization_id)s and {_UNFINISHED}",
        {"organization_id": organization_id},
    )
    number: int = row["number"]
    return number


def claim(organization_id: int, now: datetime) -> Backtest | None:
    """Take the oldest unfinished backtest; None if there is none, or another worker owns it."""
    rows = query(
        "update backtests set state = 'running', claims = claims + 1, lease_token = %(token)s,"
        " lease_until = %(until)s where organization_id = %(organization_id)s and id = ("
        f"select min(id) from backtests where organization_id = %(organization_id)s"
        f" and {_UNFINISHED}) and {_UNFINISHED}"
        f" and (lease_until is null or lease_until < %(now)s) returning {', '.join(_COLUMNS)}",
        {
            "organization_id": organization_id,
            "now": now,
            "token": str(uuid4()),
            "until": now + LEASE,
        },
    )
    return _backtest(rows[0]) if rows else None


def save(backtest: Backtest, now: datetime) -> bool:
    """Save how far a claimed backtest is, and renew its lease.

    Returns False, and saves nothing, if it was cancelled, or if another worker has claimed it.
    """
    saved = execute(
        "update backtests set replayed = %(replayed)s, after_id = %(after_id)s, claims = 1,"
        f" totals = %(totals)s, lease_until = %(until)s where {_ONE}"
        " and lease_token = %(token)s and state = 'running'",
        {
            "organization_id": backtest.organization_id,
            "id": backtest.id,
            "token": str(backtest.lease_token),
            "replayed": backtest.replayed,
            "after_id": backtest.after_id,
            "totals": json(backtest.totals),
            "until": now + LEASE,
        },
    )
    return bool(saved)


def release(backtest: Backtest) -> None:
    """Let any worker continue a claimed backtest at once."""
    execute(
        f"update backtests set lease_until = null where {_ONE} and lease_token = %(token)s",
        {
            "organization_id": backtest.organization_id,
            "id": backtest.id,
            "token": str(backtest.lease_token),
        },
    )


def finish(
    backtest: Backtest, state: BacktestState, now: datetime, *, error: str | None = None
) -> bool:
    """End an unfinished backtest; False if it is finished already."""
    finished = execute(
        "update backtests set state = %(state)s, finished_at = %(now)s, error = %(error)s,"
        f" lease_until = null where {_ONE} and {_UNFINISHED}",
        {
            "organization_id": backtest.organization_id,
            "id": backtest.id,
            "state": state.value,
            "now": now,
            "error": error,
        },
    )
    return bool(finished)


def remove_old(organization_id: int, *, before: datetime) -> None:
    """Delete the finished backtests that were started before an instant."""
    execute(
        "delete from backtests where organization_id = %(organization_id)s"
        f" and started_at < %(before)s and not ({_UNFINISHED})",
        {"organization_id": organization_id, "before": before},
    )


def _backtest(row: dict[str, Any]) -> Backtest:
    return Backtest(**{**row, "state": BacktestState(row["state"])})
