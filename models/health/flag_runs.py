"""Runs of flags: from when to when each flag of a company was raised, derived from transitions.

Reports that look at the raises of all companies would otherwise have to take each transition apart.
They are derived in the background, soon after the transitions are recorded: `runs_sequence` of a
company is the transition up to which its runs are right.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.bulk import insert, query_over
from models.database import execute, query

STATUS = ""
"""The name under which the runs of a company's status are kept."""


@dataclass(frozen=True)
class FlagRun:
    """A flag of a company was raised at an instant, and cleared at another one unless it still is.

    `flag` is `STATUS` for the company's status, which is raised while it is not the best one.
    """

    organization_id: int
    company_id: int
    flag: str
    raised_at: datetime
    cleared_at: datetime | None


@dataclass(frozen=True)
class StaleRuns:
    """A company with transitions after `runs_sequence`, up to `sequence`."""

    company_id: int
    runs_sequence: int
    sequence: int


def lock_stale(organization_id: int, *, limit: int) -> list[StaleRuns]:
    """Lock companies whose runs are stale until the transaction ends, except locked ones.

    Nobody adds a transition of a company whose row is locked.
    """
    rows = query(
        "select id as company_id, runs_sequence, sequence from companies"
        " where organization_id = %(organization_id)s and runs_sequence <> sequence"
        " order by id limit %(limit)s for no key update skip locked",
        {"organization_id": organization_id, "limit": limit},
    )
    return [StaleRuns(**row) for row in rows]


def mark_stale(organization_id: int, company_ids: Collection[int]) -> None:
    """Let all runs of companies be derived again, since earlier transitions were changed."""
    execute(
        "update companies set runs_sequence = -1"
        " where organization_id = %(organization_id)s and id = any(%(ids)s)",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )


def list_open(organization_id: int, company_ids: Collection[int]) -> list[FlagRun]:
    """Return the runs of companies that are not over."""
    rows = query(
        "select organization_id, company_id, flag, raised_at, cleared_at from flag_runs"
        " where organization_id = %(organization_id)s and company_id = any(%(ids)s)"
        " and cleared_at is null",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )
    return [FlagRun(**row) for row in rows]


def remove_all(organization_id: int, company_ids: Collection[int]) -> None:
    """Delete the runs of companies."""
    execute(
        "delete from flag_runs where organization_id = %(organization_id)s"
        " and company_id = any(%(ids)s)",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )


def save(organization_id: int, runs: Iterable[FlagRun], derived: Sequence[StaleRuns]) -> None:
    """Insert runs or update their ends, and note up to which transitions they are right.

    A run that ended at the instant at which it began is deleted.
    """
    kept, gone = list[FlagRun](), list[FlagRun]()
    for run in runs:
        (gone if run.cleared_at == run.raised_at else kept).append(run)
    insert(
        "flag_runs",
        tuple(FlagRun.__dataclass_fields__),
        kept,
        then="on conflict (organization_id, company_id, flag, raised_at)"
        " do update set cleared_at = excluded.cleared_at",
    )
    query_over(
        "delete from flag_runs r using v where r.organization_id = %(organization_id)s"
        " and r.company_id = v.company_id and r.flag = v.flag and r.raised_at = v.raised_at",
        [{"company_id": r.company_id, "flag": r.flag, "raised_at": r.raised_at} for r in gone],
        "company_id bigint, flag text, raised_at timestamptz",
        organization_id=organization_id,
    )
    query_over(
        "update companies c set runs_sequence = v.sequence from v"
        " where c.organization_id = %(organization_id)s and c.id = v.company_id",
        [{"company_id": stale.company_id, "sequence": stale.sequence} for stale in derived],
        "company_id bigint, sequence bigint",
        organization_id=organization_id,
    )
