"""The history of a customer: a year of events in order, with the fields that they carry."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo.customers.accounts import Account, User, make_account, make_users
from demo.customers.contracts import (
    annual_revenue,
    buy_seats,
    iso_date,
    pay_invoices,
    renew_contract,
)
from demo.customers.recorder import Recorder, midnight
from demo.customers.sessions import record_exceptional_days, record_working_days
from demo.customers.working_hours import working_instant


@dataclass(frozen=True)
class DemoEvent:
    """An event; `company` has the fields of the company that it carries."""

    at: datetime
    key: str
    user: User | None
    company: dict[str, Any]
    data: dict[str, Any] | None = None


def generate_history(seed: int, number: int, now: datetime) -> tuple[Account, list[DemoEvent]]:
    """Return a customer and its events up to `now`, oldest first."""
    account = make_account(seed, number)
    start = now - timedelta(days=account.trajectory.joined)
    recorder = Recorder(account, now, Random(f"{seed}/life/{number}"), start)
    seats = buy_seats(recorder)
    users = make_users(seed, number, account)
    team = [next(users) for _ in range(max(1, round(seats[-1][1] * account.trajectory.adoption)))]
    recorder.add(start, "signed_in", team[0], {"source": "web"})
    record_working_days(recorder, team, seats)
    record_exceptional_days(recorder, team)
    pay_invoices(recorder, seats)
    _answer_surveys(recorder, team)
    renew_contract(recorder)
    return account, list(_with_company_fields(recorder, seats[0][1]))


def _answer_surveys(recorder: Recorder, team: list[User]) -> None:
    chance, account = recorder.chance, recorder.account
    for days, score in account.trajectory.nps.items():
        at = working_instant(chance, midnight(recorder.ago(days)), account.region)
        recorder.add(at, "nps_answered", chance.choice(team[:5]), {"score": score}, nps=score)


def _with_company_fields(recorder: Recorder, seats: int) -> Iterator[DemoEvent]:
    """Yield the events in order, each with the constant fields and those that just changed."""
    account = recorder.account
    pending = [
        (recorder.start, {
            "industry": account.industry, "region": account.region,
            "arr": annual_revenue(account, account.seats), "csm": account.owner,
            "customer_since": iso_date(recorder.ago(account.customer_for)),
            "crm_provider": account.crm[0], "crm_provider_id": account.crm[1],
            "payment_provider": account.payment[0], "payment_provider_id": account.payment[1],
        }),
        *recorder.field_changes,
    ]  # fmt: skip
    pending.sort(key=lambda change: change[0])
    constant: dict[str, Any] = {"name": account.name, "plan": account.plan.name, "seats": seats}
    for event in sorted(recorder.events, key=lambda event: event.at):
        changed: dict[str, Any] = {}
        while pending and pending[0][0] <= event.at:
            changed |= pending.pop(0)[1]
        constant |= {name: changed[name] for name in ("plan", "seats") if name in changed}
        yield DemoEvent(event.at, event.key, event.user, constant | changed, event.data)
