"""Random organizations with outcomes, and a plain recount of the report about them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from statistics import median
from typing import Any
from uuid import UUID

from models.database import query, transaction
from models.health import transitions
from models.health.transitions import StoredTransition
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from tests.support.world import World

STATUSES = ("Healthy", "At Risk", "Critical")
FLAGS = ("Logs in", "Reports")


def add_random_history(world: World, chance: Random, now: datetime, companies: int = 12) -> None:
    """Add companies with random transitions and outcomes of the two years before `now`."""
    for number in range(companies):
        world.track(f"c{number}", now - timedelta(days=720))
    days = [now.date() - timedelta(days=chance.randrange(720)) for _ in range(4 * companies)]
    with transaction():
        for company_id in query_ids(world.id):
            add_transitions(world.id, company_id, chance, now)
            entered = {
                (kind, chance.choice(days)): NewOutcome(
                    company_id, kind, chance.choice(days), chance.choice((None, Decimal("10.50")))
                )
                for kind in chance.choices(list(OutcomeKind), (5, 1, 1, 1), k=chance.randrange(4))
            }
            by_key = {(o.kind, o.day): o for o in entered.values()}
            outcomes.enter(world.id, list(by_key.values()), "test", now)


def query_ids(organization_id: int) -> list[int]:
    rows = query("select id from companies where organization_id = %(id)s", {"id": organization_id})
    return [row["id"] for row in rows]


def add_transitions(organization_id: int, company_id: int, chance: Random, now: datetime) -> None:
    """Add random transitions of one company, in the current transaction, after those it has."""
    [row] = query(
        "select sequence, coalesce(recorded_until, %(start)s) as at from companies"
        " where organization_id = %(o)s and id = %(id)s",
        {"o": organization_id, "id": company_id, "start": now - timedelta(days=719)},
    )
    at, sequence, status, added = row["at"], row["sequence"], "Healthy", []
    for _ in range(chance.randrange(1, 14)):
        at += timedelta(days=chance.choice((0, 0.25, 3, 20, 100)))
        if at >= now:
            break
        sequence += 1
        flags = chance.sample(FLAGS, k=chance.randrange(3))
        after = chance.choice(STATUSES)
        changes = [
            {"flag": flag, "from": "?", "to": chance.choice((*STATUSES, "N/A")), "threshold": ""}
            for flag in flags
        ]
        added.append(
            StoredTransition(
                UUID(int=chance.getrandbits(128)), organization_id, company_id, sequence, at,
                status, after, "event", changes, 1, now,
            )
        )  # fmt: skip
        status = after
    transitions.add_all(added)
    query(
        "update companies set sequence = %(sequence)s, recorded_until = %(at)s"
        " where organization_id = %(o)s and id = %(id)s",
        {"o": organization_id, "id": company_id, "sequence": sequence, "at": min(at, now)},
    )


@dataclass(frozen=True)
class Recount:
    """The numbers of a flag and a quarter, None for all, recounted from the rows."""

    warned: int
    missed: int
    days: float | None
    warned_amount: Decimal
    missed_amount: Decimal
    false_alarms: int
    undecided: int


class Recounter:
    """Reads the transitions and outcomes of an organization, and counts with loops."""

    def __init__(self, organization_id: int, best: str = "Healthy") -> None:
        self._runs = defaultdict[tuple[int, str], list[list[Any]]](list)
        with transaction():
            rows = query(
                "select company_id, at, to_status, changes from transitions"
                " where organization_id = %(id)s order by company_id, sequence",
                {"id": organization_id},
            )
            self._outcomes = query(
                "select company_id, kind, day, amount from outcomes where organization_id = %(id)s",
                {"id": organization_id},
            )
        for row in rows:
            states = {change["flag"]: change["to"] for change in row["changes"]}
            for flag, status in {**states, "": row["to_status"]}.items():
                runs = self._runs[row["company_id"], flag]
                is_open = bool(runs) and runs[-1][1] is None
                if status not in (best, "N/A") and not is_open:
                    runs.append([row["at"], None])
                elif status in (best, "N/A") and is_open:
                    runs[-1][1] = row["at"]
        self.flags = sorted({flag for _, flag in self._runs})

    def count(self, flag: str, quarter: date | None, horizon: int, today: date) -> Recount:
        """Count for a flag; `quarter` is its first day."""
        warnings = [
            (loss, self._warned_on(loss, flag, horizon))
            for loss in self._outcomes
            if loss["kind"] == "left" and in_quarter(loss["day"], quarter, today)
        ]
        warned = [(loss, day) for loss, day in warnings if day is not None]
        missed = [loss for loss, day in warnings if day is None]
        verdicts = [
            self._verdict(company_id, days, horizon, today)
            for (company_id, of), runs in self._runs.items()
            if of == flag
            for days in self._by_quarter(runs, quarter, today)
        ]
        return Recount(
            len(warned),
            len(missed),
            median((loss["day"] - day).days for loss, day in warned) if warned else None,
            sum((loss["amount"] or Decimal(0) for loss, _ in warned), Decimal(0)),
            sum((loss["amount"] or Decimal(0) for loss in missed), Decimal(0)),
            verdicts.count("false alarm"),
            verdicts.count("undecided"),
        )

    def _warned_on(self, loss: dict[str, Any], flag: str, horizon: int) -> date | None:
        first = loss["day"] - timedelta(days=horizon)
        days = [
            utc_day(start)
            for start, end in self._runs[loss["company_id"], flag]
            if start != end
            and utc_day(start) < loss["day"]
            and (end is None or utc_day(end) >= first)
        ]
        return min(days, default=None)

    def _by_quarter(
        self, runs: list[list[Any]], quarter: date | None, today: date
    ) -> list[list[date]]:
        quarters = defaultdict[tuple[int, int], list[date]](list)
        for start, end in runs:
            day = utc_day(start)
            if start != end and in_quarter(day, quarter, today):
                quarters[day.year, (day.month - 1) // 3].append(day)
        return list(quarters.values())

    def _verdict(self, company_id: int, days: list[date], horizon: int, today: date) -> str | None:
        mine = [o for o in self._outcomes if o["company_id"] == company_id]
        verdicts = set()
        for day in days:
            before = sorted((o["day"], o["kind"] == "left") for o in mine if o["day"] <= day)
            if before and before[-1][1]:
                continue
            losses = [o["day"] for o in mine if o["kind"] == "left"]
            if any(0 < (loss - day).days <= horizon for loss in losses):
                return None
            verdicts.add((today - day).days > horizon)
        if not verdicts:
            return None
        return "false alarm" if True in verdicts else "undecided"


def utc_day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def in_quarter(day: date, quarter: date | None, today: date) -> bool:
    """Whether a day is in a quarter, or in the eight quarters up to the present one."""
    number, current = day.year * 4 + (day.month - 1) // 3, today.year * 4 + (today.month - 1) // 3
    if quarter is None:
        return current - 8 < number <= current
    return number == quarter.year * 4 + (quarter.month - 1) // 3
