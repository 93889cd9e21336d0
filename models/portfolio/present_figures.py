"""What an organization's companies are worth now, by status and by owner; without those that left.

One scan of an index of the companies; whatever groups them then works on the few groups of owner
and status.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from models.database import query
from models.folding import folded, folded_parameters
from models.portfolio.daily_figures import NOTHING, Amount

Statuses = dict[str, Amount]
"""Companies and their value by status."""


@dataclass
class Figures:
    """Some companies by status; `renewing` are those at risk that renew soon."""

    by_status: Statuses = field(default_factory=dict)
    renewing: Amount = NOTHING

    def of(self, statuses: Iterable[str]) -> Amount:
        """Return the companies with any of these statuses."""
        return sum((self.by_status.get(status, NOTHING) for status in statuses), NOTHING)

    def add(self, status: str, amount: Amount, renewing: Amount) -> None:
        """Add companies with a status."""
        self.by_status[status] = self.by_status.get(status, NOTHING) + amount
        self.renewing += renewing


@dataclass
class OwnerFigures(Figures):
    """The companies of one owner; None is no owner."""

    owner: str | None = None


@dataclass
class PresentFigures:
    """All companies, those of some owners together, and owners, the worst first.

    `my_owners` are the owners of `mine` and of those that left, as companies have them;
    `more_owners` is whether there are others than `owners`.
    """

    all: Figures = field(default_factory=Figures)
    mine: Figures = field(default_factory=Figures)
    my_owners: set[str] = field(default_factory=set)
    owners: list[OwnerFigures] = field(default_factory=list)
    more_owners: bool = False


def read(
    organization_id: int,
    at_risk: Sequence[str],
    *,
    mine: Collection[str],
    renewal: tuple[date, timedelta],
    most_owners: int,
) -> PresentFigures:
    """Return the figures of now.

    `at_risk` are the statuses that count as at risk. `mine` are the owners whose companies are
    summed up together; case and accents of owners do not matter. `renewal` is today in UTC and how
    far ahead to look.
    """
    first, ahead = renewal
    rows = query(
        f"""
        with grouped as materialized (
            select owner, health_status as status, left_on is null as stays,
                count(*) as companies, sum(value) as value,
                count(*) filter (where renews_on >= %(first)s and renews_on < %(end)s) as renewing,
                sum(value) filter (where renews_on >= %(first)s and renews_on < %(end)s)
                    as renewing_value
            from companies where organization_id = %(organization_id)s
            group by owner, health_status, left_on is null
        ), keyed as materialized (
            select *, {folded("owner")} as key, status = any(%(at_risk)s) as at_risk from grouped
        ), named as (select * from keyed where stays), ranked as (
            select key, min(owner) as owner, row_number() over (order by
                coalesce(sum(value) filter (where at_risk), 0) desc,
                coalesce(sum(companies) filter (where at_risk), 0) desc, key nulls last) as place
            from named group by key order by place limit %(most)s
        )
        select 'all' as part, null as owner, 0 as place, status, {_SUMS} from named group by status
        union all select 'mine', owner, 0, status, {_SUMS} from named
            where key = any({folded_parameters("mine")}) group by owner, status
        union all select 'left', owner, 0, null, null, null, null, null from keyed
            where not stays and key = any({folded_parameters("mine")}) group by owner
        union all select 'owner', r.owner, r.place, n.status, {_SUMS}
            from ranked r join named n on n.key is not distinct from r.key
            group by r.place, r.owner, n.status
        order by place
        """,
        {
            "organization_id": organization_id,
            "at_risk": list(at_risk),
            "mine": list(mine),
            "first": first,
            "end": first + ahead + timedelta(days=1),
            "most": most_owners + 1,
        },
    )
    return _figures(rows, most_owners)


_SUMS = (
    "sum(companies)::bigint as companies, sum(value) as value,"
    " sum(renewing) filter (where at_risk)::bigint as renewing,"
    " sum(renewing_value) filter (where at_risk) as renewing_value"
)


def _figures(rows: Iterable[dict[str, Any]], most_owners: int) -> PresentFigures:
    present = PresentFigures()
    owners: dict[int, OwnerFigures] = {}
    for row in rows:
        if row["part"] in ("mine", "left"):
            present.my_owners.add(row["owner"])
        if row["part"] == "left":
            continue
        figures = present.all
        if row["part"] == "owner":
            figures = owners.setdefault(row["place"], OwnerFigures(owner=row["owner"]))
        elif row["part"] == "mine":
            figures = present.mine
        figures.add(
            row["status"],
            Amount(row["companies"], row["value"] or NOTHING.value),
            Amount(row["renewing"] or 0, row["renewing_value"] or NOTHING.value),
        )
    present.owners = list(owners.values())[:most_owners]
    present.more_owners = len(owners) > most_owners
    return present
