"""A made-up export: 200 customers as HubSpot exports them, and a year of their events as CSV.

`python -m tests.support.trial.export FOLDER` writes `companies.csv` and `events.csv`. The same end
of the year gives the same files. What happens to a customer follows from its kind: see `KINDS`.
"""

import csv
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

SEED = 19
YEAR = timedelta(days=365)

KINDS = {"steady": 120, "fading": 30, "silent": 20, "new": 15, "light": 15}
"""How many use the product all year, less and less, no longer, since lately, or little."""

SILENT_FOR = (16, 60)
"""Days since the last event of a silent customer."""

FADES_FOR = 45
"""Days over which a fading customer's usage falls to a tenth."""

REPORTS_A_WEEK = {"steady": 14.0, "fading": 14.0, "silent": 12.0, "new": 12.0, "light": 1.5}

_FIRST = ("Blue", "Clear", "North", "Amber", "Iron", "Silver", "Bright", "Grand", "Quiet", "Swift")
_SECOND = ("Harbor", "Field", "Bridge", "Orchard", "Ridge", "Mill", "Forge", "Garden", "Peak",
           "Canal")  # fmt: skip
_LAST = ("Labs", "Logistics")
_OWNERS = ("Ruth Adler", "Tom Okafor", "Mina Sato")
_PLANS = ("Starter", "Pro", "Enterprise")


@dataclass(frozen=True)
class Customer:
    """One customer, by HubSpot's id and by its own; the times bound its events."""

    record_id: str
    account_id: str
    name: str
    kind: str
    plan: str
    seats: int
    owner: str
    began_at: datetime
    ended_at: datetime


def customers(until: datetime) -> list[Customer]:
    """Return the customers of the year that ends at an instant."""
    dice = random.Random(SEED)
    names = [f"{a} {b} {c}" for c in _LAST for a in _FIRST for b in _SECOND]
    kinds = [kind for kind, number in KINDS.items() for _ in range(number)]
    made = []
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True), start=1):
        age = dice.uniform(4, 20) if kind == "new" else 365.0
        silence = dice.uniform(*SILENT_FOR) if kind == "silent" else 0.0
        made.append(
            Customer(
                f"{9_100_000_000 + number * 37}",
                f"acct_{number:04}",
                name,
                kind,
                dice.choice(_PLANS),
                dice.randint(3, 40),
                dice.choice(_OWNERS),
                until - timedelta(days=age),
                until - timedelta(days=silence),
            )
        )
    return made


def events_of(customer: Customer, until: datetime) -> Iterator[dict[str, str]]:
    """Yield the rows of a customer's events, day by day."""
    dice = random.Random(f"{SEED} {customer.account_id}")
    number = 0
    day = customer.began_at
    while day < customer.ended_at:
        usage = REPORTS_A_WEEK[customer.kind] / 7 * _remaining(customer, day, until)
        if day.weekday() >= 5:
            usage /= 4
        for _ in range(_about(dice, usage)):
            at = day + timedelta(seconds=dice.uniform(0, 86_400))
            user = f"{customer.account_id}_u{dice.randint(1, min(customer.seats, 8))}"
            minutes = dice.randint(6, 45)
            for event, values, later in (
                ("User Logged In", {}, 0),
                ("Report Created", {"source": dice.choice(("web", "web", "app"))}, minutes / 2),
                ("Session Ended", {"minutes": str(minutes)}, minutes),
            ):
                happened_at = at + timedelta(minutes=later)
                if happened_at < customer.ended_at:
                    number += 1
                    yield {
                        "message_id": f"{customer.account_id}-{number}",
                        "timestamp": f"{happened_at:%Y-%m-%dT%H:%M:%SZ}",
                        "event": event,
                        "user_id": user,
                        "account_id": customer.account_id,
                        **values,
                    }
        day += timedelta(days=1)


def _remaining(customer: Customer, day: datetime, until: datetime) -> float:
    """Return what is left of a customer's usage on a day, from 0.1 to 1."""
    if customer.kind != "fading":
        return 1.0
    faded = 1 - (until - day) / timedelta(days=FADES_FOR)
    return min(1.0, max(0.1, 1 - faded))


def _about(dice: random.Random, mean: float) -> int:
    """Return a whole number with this mean."""
    return int(mean) + (dice.random() < mean % 1)


def write_export(folder: Path, until: datetime) -> list[Customer]:
    """Write both files for the year that ends at an instant, and return the customers."""
    made = customers(until)
    with (folder / "companies.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["Record ID", "Company name", "Company owner", "Create Date", "Lifecycle Stage",
             "Account ID", "Plan", "Seats"]
        )  # fmt: skip
        for one in made:
            rows.writerow(
                [one.record_id, one.name, one.owner, f"{one.began_at:%Y-%m-%d %H:%M}", "Customer",
                 one.account_id, one.plan, one.seats]
            )  # fmt: skip
    names = ["message_id", "timestamp", "event", "user_id", "account_id", "source", "minutes"]
    with (folder / "events.csv").open("w", encoding="utf-8", newline="") as file:
        events = csv.DictWriter(file, names, restval="")
        events.writeheader()
        for one in made:
            events.writerows(events_of(one, until))
    return made


if __name__ == "__main__":
    write_export(Path(sys.argv[1]), datetime.now(UTC).replace(minute=0, second=0, microsecond=0))
