"""Daily figures of an organization: companies and their value by status, by flag, and at risk.

`portfolio_changes` has by how much each figure changed on a day, so that a company whose history
changes moves a few rows, however long ago that was. The figure at the end of a day is the sum up to
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

from models.bulk import insert, query_over
from models.database import query


class Kind(StrEnum):
    """What companies are counted by."""

    STATUS = "status"
    FLAG = "flag"
    AT_RISK = "at_risk"
    """All companies that are not in the best status; its name is empty."""


class FigureDay(NamedTuple):
    """One figure on one day."""

    kind: Kind
    name: str
    day: date


@dataclass(frozen=True)
class Amount:
    """A number of companies, and the sum of their values."""

    companies: int = 0
    value: Decimal = Decimal()

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.companies + other.companies, self.value + other.value)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.companies - other.companies, self.value - other.value)

    def __bool__(self) -> bool:
        return bool(self.companies or self.value)


NOTHING = Amount()


def add(organization_id: int, changes: Mapping[FigureDay, Amount]) -> None:
    """Add to the changes of figures; rows that become zero are deleted."""
    rows = [
        {"organization_id": organization_id, **figure._asdict(), **vars(amount)}
        for figure, amount in sorted(changes.items())
        if amount
    ]
    insert(
        "portfolio_changes",
        ("organization_id", *FigureDay._fields, *vars(NOTHING)),
        rows,
        then="on conflict (organization_id, kind, name, day) do update"
        " set companies = portfolio_changes.companies + excluded.companies,"
        " value = portfolio_changes.value + excluded.value",
    )
    query_over(
        "delete from portfolio_changes p using v where p.organization_id = %(organization_id)s"
        " and p.kind = v.kind and p.name = v.name and p.day = v.day"
        " and p.companies = 0 and p.value = 0",
        [figure._asdict() for figure, amount in sorted(changes.items()) if amount],
        "kind text, name text, day date",
        organization_id=organization_id,
    )


def read(organization_id: int, days: Sequence[date]) -> dict[Kind, dict[str, list[Amount]]]:
    """Return the figures at the end of each of these days, which ascend, by kind and name.

    One scan of the organization's changes: a row for each day on which a figure changed.
    """
    rows = query(
        "select kind, name, width_bucket(day, %(after)s::date[]) as position,"
        " sum(companies)::bigint as companies, sum(value) as value from portfolio_changes"
        " where organization_id = %(organization_id)s and day <= %(last)s group by 1, 2, 3",
        {
            "organization_id": organization_id,
            "after": [date.fromordinal(day.toordinal() + 1) for day in days],
            "last": days[-1],
        },
    )
    changes: dict[Kind, dict[str, list[Amount]]] = {kind: {} for kind in Kind}
    for row in rows:
        of_name = changes[Kind(row["kind"])].setdefault(row["name"], [NOTHING] * len(days))
        of_name[row["position"]] = Amount(row["companies"], row["value"])
    return {
        kind: {name: list(accumulate(amounts)) for name, amounts in by_name.items()}
        for kind, by_name in changes.items()
    }
