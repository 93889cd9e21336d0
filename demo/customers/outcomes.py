"""What became of a customer of the demo: it left, renewed, grew or shrank."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from demo.customers.accounts import Account
from demo.customers.contracts import annual_revenue
from demo.customers.history import DemoEvent
from models.outcomes.outcomes import OutcomeKind

WITHOUT_WARNING = 0.25
"""The share of customers that give notice while they still work as usual."""

LEFT_WHILE_DECLINING, SHRANK_WHILE_DECLINING = 0.2, 0.25
"""The shares of customers whose use declines that have left, and that have bought less."""

REASONS = (
    "Went to a competitor",
    "The champion left the company",
    "Budget cut",
    "Merged, and the parent company has another product",
    "Missed a feature for reports",
    "Too many seats for what they used",
    "",
)


@dataclass(frozen=True)
class DemoOutcome:
    """An outcome of a customer."""

    kind: OutcomeKind
    day: date
    amount: Decimal
    note: str = ""


def outcomes_of(
    seed: int, number: int, account: Account, events: Sequence[DemoEvent], now: datetime
) -> list[DemoOutcome]:
    """Return the outcomes of a customer with these events, at most one of a kind on a day."""
    chance = Random(f"{seed}/outcomes/{number}")
    revenue = annual_revenue(account, account.seats)
    found: list[DemoOutcome] = []
    for event in events:
        day = event.at.astimezone(UTC).date()
        if event.key == "contract_renewed":
            found.append(DemoOutcome(OutcomeKind.RENEWED, day, Decimal(revenue)))
        before, revenue = revenue, event.company.get("arr", revenue)
        if revenue > before:
            found.append(DemoOutcome(OutcomeKind.GREW, day, Decimal(revenue - before)))
    found += _losses(account, revenue, now, chance)
    return list({(outcome.kind, outcome.day): outcome for outcome in found}.values())


def _losses(account: Account, revenue: int, now: datetime, chance: Random) -> Iterator[DemoOutcome]:
    trajectory = account.trajectory
    if trajectory.name == "gone":
        ago = trajectory.silences[0][0] / timedelta(days=1)
        if chance.random() < WITHOUT_WARNING:
            ago = min(ago + chance.uniform(60, 80), trajectory.joined - 30)
        else:
            ago = max(ago - chance.uniform(2, 20), 1)
        note = chance.choice(REASONS)
        yield DemoOutcome(OutcomeKind.LEFT, _day(now, ago), Decimal(revenue), note)
    elif trajectory.name == "declining":
        fate = chance.random()
        if fate < LEFT_WHILE_DECLINING:
            day = _day(now, chance.uniform(2, 25))
            yield DemoOutcome(OutcomeKind.LEFT, day, Decimal(revenue), chance.choice(REASONS))
        elif fate < LEFT_WHILE_DECLINING + SHRANK_WHILE_DECLINING:
            given_up = Decimal(round(revenue * chance.uniform(0.1, 0.4)))
            yield DemoOutcome(OutcomeKind.SHRANK, _day(now, chance.uniform(2, 40)), given_up)


def _day(now: datetime, ago: float) -> date:
    return (now - timedelta(days=ago)).astimezone(UTC).date()
