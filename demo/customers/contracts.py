"""What a customer buys and pays: seats, plans, invoices and renewals."""

import math
from datetime import UTC, datetime, timedelta

from demo.customers.accounts import Account
from demo.customers.recorder import DAY, Recorder, midnight
from demo.customers.working_hours import working_instant

Seats = list[tuple[datetime, int]]
"""Numbers of seats, each with the time from which it applies, in order."""

LARGER_PLANS = {"Starter": (6, "Team"), "Team": (17, "Business"), "Business": (38, "Enterprise")}
"""The number of seats from which a customer changes to the next plan."""


def buy_seats(recorder: Recorder) -> Seats:
    """Record the purchases of seats, and return the numbers of seats."""
    account, chance = recorder.account, recorder.chance
    seats = [(recorder.start, account.seats)]
    for days in sorted(account.trajectory.steps, reverse=True):
        number = math.ceil(seats[-1][1] * chance.uniform(1.2, 1.5))
        at = working_instant(chance, midnight(recorder.ago(days)), account.region)
        seats.append((max(at, recorder.start + DAY), number))
    plan = account.plan.name
    for at, number in seats[1:]:
        fields = {"seats": number, "arr": annual_revenue(account, number)}
        larger_plan = _plan_for(number, plan)
        if larger_plan != plan:
            data = {"from": plan, "to": larger_plan}
            recorder.add(at, "plan_changed", None, data, plan=larger_plan, **fields)
            plan = larger_plan
        else:
            recorder.add(at, "plan_changed", None, {"seats": number}, **fields)
    return seats


def _plan_for(seats: int, current: str) -> str:
    limit, larger_plan = LARGER_PLANS.get(current, (seats + 1, current))
    return larger_plan if seats >= limit else current


def annual_revenue(account: Account, seats: int) -> int:
    """Return US dollars per year."""
    return seats * account.plan.price * 12


def pay_invoices(recorder: Recorder, seats: Seats) -> None:
    """Record a paid invoice for each month, some hours or days late, until the customer leaves."""
    account, chance = recorder.account, recorder.chance
    trajectory = account.trajectory
    left = trajectory.name == "gone"
    end = recorder.now - trajectory.silences[0][0] if left else recorder.now
    due = recorder.start + timedelta(days=chance.uniform(0, 2))
    if trajectory.unpaid:  # choose the due dates so that the newest is the unpaid one
        unpaid_since = recorder.ago(trajectory.unpaid)
        due = unpaid_since - (unpaid_since - recorder.start) // (30 * DAY) * 30 * DAY
    while due < end:
        paid = due + timedelta(hours=chance.uniform(0.1, 30))
        if chance.random() < 0.006:
            paid = due + timedelta(days=chance.uniform(7, 12))  # the card was declined
        if trajectory.unpaid and due > recorder.ago(trajectory.unpaid) - DAY:
            break
        numbers = [number for at, number in seats if at <= paid] or [account.seats]
        amount = round(annual_revenue(account, numbers[-1]) / 12, 2)
        recorder.add(paid, "invoice_paid", None, {"amount": amount, "currency": "USD"})
        due += 30 * DAY


def renew_contract(recorder: Recorder) -> None:
    """Record the renewal date. A contract of a year is renewed three weeks before its end."""
    trajectory = recorder.account.trajectory
    end = recorder.ago(-recorder.account.renews_in)
    signed = end - timedelta(days=365 + 21)
    if signed > recorder.start + 20 * DAY:
        former_end = end - timedelta(days=365)
        recorder.field_changes.append((recorder.start, {"renewal_date": iso_date(former_end)}))
        if trajectory.name != "gone" or signed < recorder.now - trajectory.silences[0][0]:
            recorder.add(signed, "contract_renewed", None, {"years": 1}, renewal_date=iso_date(end))
    else:
        recorder.field_changes.append((recorder.start, {"renewal_date": iso_date(end)}))


def iso_date(at: datetime) -> str:
    """Return a date in ISO 8601, in UTC."""
    return at.astimezone(UTC).date().isoformat()
