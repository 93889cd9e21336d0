"""How well flags warned of the companies that left, from `outcomes` and `flag_runs`.

All times count as their day, UTC. A company that left on a day was warned of by a flag that was
raised before that day, and not cleared before the `horizon` days before it began. A company that
was raised in a quarter is a false alarm if it did not leave within `horizon` days after any raise
of that quarter, and undecided while it still may. Raises after it left do not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from models.cursors import Cursor
from models.database import query


@dataclass(frozen=True)
class ReportPeriod:
    """The days from `since` up to but excluding `until`, how long warnings count, and the present.

    `horizon` is in days.
    """

    since: date
    until: date
    horizon: int
    today: date

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of statements."""
        return {
            "since": self.since,
            "until": self.until,
            "horizon": self.horizon,
            "today": self.today,
        }


def _day_raised(run: str) -> str:
    """Return SQL for the day on which a run began."""
    return f"({run}.raised_at at time zone 'UTC')::date"


def _has_left(run: str) -> str:
    """Return SQL for whether a company had left by the day on which a run of it began."""
    return f"""coalesce((
        select max(o.day) filter (where o.kind = 'left') = max(o.day) from outcomes o
        where o.organization_id = %(organization_id)s and o.company_id = {run}.company_id
            and o.day <= {_day_raised(run)}), false)"""


_DAY_RAISED = _day_raised("r")

_WARNED = """
    losses as (
        select company_id, day, amount from outcomes
        where organization_id = %(organization_id)s and kind = 'left'
            and day >= %(since)s and day < %(until)s
    ), warned as (
        select l.company_id, l.day, l.amount, r.flag,
            min((r.raised_at at time zone 'UTC')::date) as raised_on
        from losses l join flag_runs r
            on r.organization_id = %(organization_id)s and r.company_id = l.company_id
            and r.raised_at < l.day::timestamp at time zone 'UTC'
            and (r.cleared_at is null
                or r.cleared_at >= (l.day - %(horizon)s)::timestamp at time zone 'UTC')
        where %(flag)s::text is null or r.flag = %(flag)s
        group by 1, 2, 3, 4
    )
"""

# Only companies with outcomes can have left, so the others are not looked up one by one.
_ALARMS = f"""
    known as (
        select distinct company_id from outcomes where organization_id = %(organization_id)s
    ), raises as (
        select r.company_id, r.flag, {_DAY_RAISED} as raised_on,
            {_DAY_RAISED} + %(horizon)s < %(today)s as decided,
            case when k.company_id is null then false else exists (
                select from outcomes o where o.organization_id = %(organization_id)s
                    and o.company_id = r.company_id and o.kind = 'left'
                    and o.day > {_DAY_RAISED} and o.day <= {_DAY_RAISED} + %(horizon)s
            ) end as followed
        from flag_runs r left join known k on k.company_id = r.company_id
        where r.organization_id = %(organization_id)s
            and (%(flag)s::text is null or r.flag = %(flag)s)
            and r.raised_at >= %(since)s::timestamp at time zone 'UTC'
            and r.raised_at < %(until)s::timestamp at time zone 'UTC'
            and (k.company_id is null or not {_has_left("r")})
    ), alarms as (
        select company_id, flag, date_trunc('quarter', raised_on)::date as quarter,
            min(raised_on) as raised_on, max(raised_on) as last_raised_on, count(*) as raises,
            bool_or(decided) as decided, bool_or(followed) as followed
        from raises group by 1, 2, 3
    )
"""


def count_losses(organization_id: int, period: ReportPeriod) -> list[dict[str, Any]]:
    """Count the companies that left by `quarter`, None for all: `number`, `amount`, `unknown`.

    `unknown` is how many of them have no amount.
    """
    return query(
        """
        select date_trunc('quarter', day)::date as quarter, count(*) as number,
            coalesce(sum(amount), 0) as amount, count(*) - count(amount) as unknown
        from outcomes where organization_id = %(organization_id)s and kind = 'left'
            and day >= %(since)s and day < %(until)s
        group by grouping sets ((1), ()) order by 1
        """,
        {"organization_id": organization_id, **period.parameters},
    )


def count_warned(organization_id: int, period: ReportPeriod) -> list[dict[str, Any]]:
    """Count the losses that each flag warned of, by `flag` and `quarter`, None for all.

    Each with the median number of `days` of warning, and the `amount`.
    """
    return query(
        f"""
        with {_WARNED}
        select flag, date_trunc('quarter', day)::date as quarter, count(*) as number,
            percentile_cont(0.5) within group (order by day - raised_on) as days,
            coalesce(sum(amount), 0) as amount
        from warned group by grouping sets ((1, 2), (1)) order by 1, 2
        """,
        {"organization_id": organization_id, "flag": None, **period.parameters},
    )


def count_alarms(organization_id: int, period: ReportPeriod) -> list[dict[str, Any]]:
    """Count companies by `flag` and `quarter`: those `raised`, `false_alarms`, and `undecided`.

    Reads all runs of the period: for the background.
    """
    return query(
        f"""
        with {_ALARMS}
        select flag, quarter, count(*) as raised,
            count(*) filter (where decided and not followed) as false_alarms,
            count(*) filter (where not decided and not followed) as undecided
        from alarms group by 1, 2 order by 1, 2
        """,
        {"organization_id": organization_id, "flag": None, **period.parameters},
    )


@dataclass(frozen=True)
class ReportedCompany:
    """A company behind a number of the report.

    `left_on` and `amount` are those of the loss, `raised_on` is the day of the raise, if any, and
    `raises` how often it was raised in the quarter.
    """

    id: str
    name: str
    health_status: str
    owner: str | None
    value: Decimal | None
    left_on: date | None
    amount: Decimal | None
    raised_on: date | None
    raises: int = 0

    @property
    def days(self) -> int | None:
        """The days of warning."""
        if self.left_on is None or self.raised_on is None:
            return None
        return (self.left_on - self.raised_on).days


@dataclass(frozen=True)
class ReportedPage:
    """A page of companies, how many there are in all if that is known, and the next cursor."""

    companies: Sequence[ReportedCompany]
    total: int | None
    next: str | None


_LATEST_FIRST = Cursor("outcome report", ("date", "bigint"))
_LATEST_RAISED_FIRST = Cursor("alarms", ("timestamptz", "bigint"))


def list_losses(
    organization_id: int,
    flag: str,
    period: ReportPeriod,
    *,
    warned: bool | None,
    after: str | None = None,
    limit: int = 50,
) -> ReportedPage:
    """Return the losses that a flag warned of, or missed, or both, the latest first.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    only = {True: "raised_on is not null", False: "raised_on is null", None: "true"}[warned]
    matching = f"""
        {_WARNED}, matching as materialized (
            select l.company_id, l.day as at, l.day as left_on, l.amount, w.raised_on, 0 as raises
            from losses l left join warned w using (company_id, day) where {only}
        )
    """
    return _page(organization_id, flag, period, matching, after, limit)


def list_alarms(
    organization_id: int,
    flag: str,
    period: ReportPeriod,
    *,
    decided: bool,
    after: str | None = None,
    limit: int = 50,
) -> ReportedPage:
    """Return the false alarms of a flag, or those that are undecided, the latest first.

    A company is listed for each quarter, at its first raise in it. They are not counted: a walk
    through an index finds the first ones, since nearly every raise in its range is one.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    last_decided = "(%(today)s::date - %(horizon)s)::timestamp at time zone 'UTC'"
    beyond = _LATEST_RAISED_FIRST.condition(["r.raised_at", "r.company_id"], after, descending=True)
    rows = query(
        f"""
        with page as (
            select r.company_id, r.raised_at, its.raises
            from flag_runs r cross join lateral (
                select date_trunc('quarter', r.raised_at at time zone 'UTC') as begins
            ) quarter cross join lateral (
                select f.raised_at as at from flag_runs f
                where {_of_quarter("f")} order by f.raised_at limit 1
            ) first cross join lateral (
                select count(*) as raises, bool_or(exists (
                    select from outcomes o where o.organization_id = %(organization_id)s
                        and o.company_id = q.company_id and o.kind = 'left'
                        and o.day > {_day_raised("q")}
                        and o.day <= {_day_raised("q")} + %(horizon)s
                )) as followed
                from flag_runs q where {_of_quarter("q")} and q.raised_at >= first.at
            ) its
            where r.organization_id = %(organization_id)s and r.flag = %(flag)s
                and r.raised_at >= %(since)s::timestamp at time zone 'UTC'
                and r.raised_at < %(until)s::timestamp at time zone 'UTC'
                and r.raised_at {"<" if decided else ">="} {last_decided}
                and first.at = r.raised_at and not its.followed{beyond}
            order by r.raised_at desc, r.company_id desc limit %(limit)s
        )
        select p.company_id, p.raised_at, p.raises, {_day_raised("p")} as raised_on,
            null::date as left_on, null::numeric as amount,
            c.external_id as id, c.name, c.health_status, c.owner, c.value
        from page p join companies c
            on c.organization_id = %(organization_id)s and c.id = p.company_id
        order by p.raised_at desc, p.company_id desc
        """,
        {
            "organization_id": organization_id,
            "flag": flag,
            "limit": limit + 1,
            **period.parameters,
            **_LATEST_RAISED_FIRST.read(after),
        },
    )
    following = _LATEST_RAISED_FIRST.next_page(rows, limit, "raised_at", "company_id")
    return ReportedPage(_companies(rows[:limit]), None, following)


def _of_quarter(run: str) -> str:
    """Return SQL for whether a run counts as a raise of the company of `r` in its quarter."""
    return f"""{run}.organization_id = %(organization_id)s
                    and {run}.company_id = r.company_id and {run}.flag = %(flag)s
                    and {run}.raised_at >= quarter.begins at time zone 'UTC'
                    and {run}.raised_at < (quarter.begins + interval '3 months') at time zone 'UTC'
                    and not {_has_left(run)}"""


def _companies(rows: Sequence[dict[str, Any]]) -> list[ReportedCompany]:
    names = ReportedCompany.__dataclass_fields__
    return [ReportedCompany(**{name: row[name] for name in names}) for row in rows]


def _page(
    organization_id: int,
    flag: str,
    period: ReportPeriod,
    matching: str,
    after: str | None,
    limit: int,
) -> ReportedPage:
    beyond = _LATEST_FIRST.condition(["at", "company_id"], after, descending=True)
    rows = query(
        f"""
        with {matching}, page as (
            select * from matching where true{beyond}
            order by at desc, company_id desc limit %(limit)s
        )
        select counted.total, p.at, p.company_id, p.left_on, p.amount, p.raised_on, p.raises,
            c.external_id as id, c.name, c.health_status, c.owner, c.value
        from (select count(*) as total from matching) counted left join page p on true
        left join companies c on c.organization_id = %(organization_id)s and c.id = p.company_id
        order by p.at desc, p.company_id desc
        """,
        {
            "organization_id": organization_id,
            "flag": flag,
            "limit": limit + 1,
            **period.parameters,
            **_LATEST_FIRST.read(after),
        },
    )
    total = rows[0]["total"]
    rows = [row for row in rows if row["company_id"] is not None]
    return ReportedPage(
        _companies(rows[:limit]), total, _LATEST_FIRST.next_page(rows, limit, "at", "company_id")
    )
