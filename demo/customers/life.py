"""What a customer did in a year: its events in order, with what they say of it and of its users."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from demo.customers.accounts import Account, Person, account, people
from demo.customers.working_hours import OFFSETS, intensity, moment

DAY = timedelta(days=1)

ACTIONS = {
    "report_created": 46, "dashboard_viewed": 34, "data_exported": 12, "support_ticket_opened": 1.2,
}  # fmt: skip
"""What is done in a session, and how often of a hundred times."""

ACTIONS_IN_SESSION = 0.95
"""On average, beside signing in."""

TOPICS = ("import", "permissions", "billing", "slow dashboards", "export", "single sign-on")


@dataclass(frozen=True)
class Happening:
    """One event; `company` are the fields that it carries of the company."""

    at: datetime
    key: str
    user: Person | None
    company: dict[str, Any]
    data: dict[str, Any] | None = None


@dataclass
class _Life:
    """What is on record while a life is made up: events, and changes of fields by their time."""

    account: Account
    now: datetime
    chance: Random
    begins: datetime
    events: list[tuple[datetime, str, Person | None, dict[str, Any] | None]] = field(
        default_factory=list
    )
    fields: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)

    def add(
        self,
        at: datetime,
        key: str,
        user: Person | None = None,
        data: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        if self.begins <= at < self.now:
            self.events.append((at, key, user, data))
            if fields:
                self.fields.append((at, fields))


def life(seed: int, number: int, now: datetime) -> tuple[Account, list[Happening]]:
    """A customer and all that it did up to `now`, oldest first."""
    of = account(seed, number)
    begins = now - timedelta(days=of.course.joined)
    made = _Life(of, now, Random(f"{seed}/life/{number}"), begins)
    seats = _seats(made)
    users = people(seed, number, of)
    team = [next(users) for _ in range(max(1, round(seats[-1][1] * of.course.adoption)))]
    made.add(begins, "signed_in", team[0], {"source": "web"})
    _work(made, team, seats)
    _special_days(made, team)
    _pay(made, seats)
    _answer(made, team)
    _renew(made)
    return of, list(_told(made, seats[0][1]))


def _seats(made: _Life) -> list[tuple[datetime, int]]:
    """Since when there are how many seats; more are bought at the steps of the course."""
    of, chance = made.account, made.chance
    seats = [(made.begins, of.seats)]
    for days in sorted(of.course.steps, reverse=True):
        more = math.ceil(seats[-1][1] * chance.uniform(1.2, 1.5))
        at = moment(chance, _midnight(made.ago(days)), of.region)
        seats.append((max(at, made.begins + DAY), more))
    plan = of.plan.name
    for at, number in seats[1:]:
        after = _plan_of(number, plan)
        sent = {"seats": number, "arr": _arr(of, number)}
        said = {"seats": number}
        if after != plan:
            made.add(at, "plan_changed", None, {"from": plan, "to": after}, plan=after, **sent)
            plan = after
        else:
            made.add(at, "plan_changed", None, said, **sent)
    return seats


def _plan_of(seats: int, before: str) -> str:
    """Who outgrows a plan takes the next."""
    outgrown = {"Starter": (6, "Team"), "Team": (17, "Business"), "Business": (38, "Enterprise")}
    limit, following = outgrown.get(before, (seats + 1, before))
    return following if seats >= limit else before


def _arr(of: Account, seats: int) -> int:
    """US dollars in a year."""
    return seats * of.plan.price * 12


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _work(made: _Life, team: list[Person], seats: list[tuple[datetime, int]]) -> None:
    """Days of sessions: who is there, when, and what they do."""
    of, chance, course = made.account, made.chance, made.account.course
    keen = [chance.lognormvariate(-0.08, 0.4) for _ in team]
    comes = [_comes_at(made, index, team, seats) for index in range(len(team))]
    for index, at in enumerate(comes):
        if index and at > made.begins:
            made.add(at, "teammate_invited", team[0], {"email": team[index].email})
    day = _midnight(made.begins + OFFSETS[of.region])
    while day <= made.now + OFFSETS[of.region]:
        ago = (made.now - day) / DAY
        share = intensity(day.date(), of.industry, of.region) * course.level(max(ago, 0))
        expected = share * of.plan.sessions / 21.5  # working days of a month
        for index, person in enumerate(team):
            if chance.random() < min(0.97, expected * keen[index]) and comes[index] < day + DAY:
                at = moment(chance, day, of.region)
                if at >= comes[index] and not _silent(made, at):
                    _session(made, at, person)
        day += DAY


def _special_days(made: _Life, team: list[Person]) -> None:
    """The last day before a silence, the day of a return, and those of a storm of tickets."""
    chance, course = made.chance, made.account.course
    for begun, ended in course.silences:
        at = made.now - begun - timedelta(minutes=chance.uniform(10, 40))
        made.add(at, "signed_in", team[0], {"source": "web"})
        for person in team[:4] if ended else ():  # they are back
            at = made.now - ended + timedelta(minutes=chance.uniform(1, 70))
            _session(made, at, person)
            made.add(at + timedelta(seconds=97), "report_created", person, {"template": "blank"})
    if course.tickets is not None:
        at = made.ago(course.tickets)
        for _ in range(chance.randint(3, 7)):
            at += timedelta(hours=chance.uniform(0.3, 14))
            data = {"severity": chance.choice(("high", "high", "urgent")), "topic": TOPICS[0]}
            made.add(at, "support_ticket_opened", chance.choice(team[:3]), data)


def _comes_at(
    made: _Life, index: int, team: list[Person], seats: list[tuple[datetime, int]]
) -> datetime:
    """When a user is invited: some at once, the others in the weeks after there is a seat."""
    if index == 0:
        return made.begins
    last = seats[-1][1]
    since = next(at for at, number in seats if index < len(team) * number / last)
    weeks = made.chance.uniform(0, 2) ** 2
    return since + timedelta(weeks=weeks) if index > 2 else since + timedelta(hours=weeks)


def _silent(made: _Life, at: datetime) -> bool:
    return any(
        made.now - begun <= at < made.now - ended for begun, ended in made.account.course.silences
    )


def _session(made: _Life, at: datetime, person: Person) -> None:
    chance = made.chance
    made.add(at, "signed_in", person, {"source": chance.choice(("web", "web", "web", "mobile"))})
    while chance.random() < ACTIONS_IN_SESSION / (1 + ACTIONS_IN_SESSION):
        at += timedelta(seconds=round(chance.expovariate(1 / 400) + 15, 3))
        if _silent(made, at):
            return
        key = chance.choices(tuple(ACTIONS), tuple(ACTIONS.values()))[0]
        made.add(at, key, person, _data(chance, key))


def _data(chance: Random, key: str) -> dict[str, Any] | None:
    match key:
        case "report_created":
            return {"template": chance.choice(("revenue", "pipeline", "cost", "blank"))}
        case "data_exported":
            return {"format": chance.choice(("csv", "xlsx", "pdf")), "rows": chance.randrange(9000)}
        case "support_ticket_opened":
            severity = chance.choices(("low", "normal", "high"), (50, 42, 8))[0]
            return {"severity": severity, "topic": chance.choice(TOPICS)}
    return None


def _pay(made: _Life, seats: list[tuple[datetime, int]]) -> None:
    """An invoice in each month, paid some hours or days after; who has left pays no more."""
    of, chance = made.account, made.chance
    gone = of.course.name == "gone"
    ends = made.now - of.course.silences[0][0] if gone else made.now
    due = made.begins + timedelta(days=chance.uniform(0, 2))
    if of.course.unpaid:  # the newest is due for so long
        late = made.ago(of.course.unpaid)
        due = late - (late - made.begins) // (30 * DAY) * 30 * DAY
    while due < ends:
        paid = due + timedelta(hours=chance.uniform(0.1, 30))
        if chance.random() < 0.006:
            paid = due + timedelta(days=chance.uniform(7, 12))  # the card was declined
        if of.course.unpaid and due > made.ago(of.course.unpaid) - DAY:
            break
        number = [number for at, number in seats if at <= paid][-1:] or [of.seats]
        amount = round(_arr(of, number[0]) / 12, 2)
        made.add(paid, "invoice_paid", None, {"amount": amount, "currency": "USD"})
        due += 30 * DAY


def _answer(made: _Life, team: list[Person]) -> None:
    for days, score in made.account.course.nps.items():
        at = moment(made.chance, _midnight(made.ago(days)), made.account.region)
        made.add(at, "nps_answered", made.chance.choice(team[:5]), {"score": score}, nps=score)


def _renew(made: _Life) -> None:
    """Contracts of a year; one that came to its end meanwhile was renewed three weeks before."""
    of = made.account
    end = made.ago(-of.renews_in)
    signed = end - timedelta(days=365 + 21)
    if signed > made.begins + 20 * DAY:
        made.fields.append((made.begins, {"renewal_date": _date(end - timedelta(days=365))}))
        if of.course.name != "gone" or signed < made.now - of.course.silences[0][0]:
            made.add(signed, "contract_renewed", None, {"years": 1}, renewal_date=_date(end))
    else:
        made.fields.append((made.begins, {"renewal_date": _date(end)}))


def _date(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _told(made: _Life, seats: int) -> Iterator[Happening]:
    """The events in order, each with the fields that every one carries and those just changed."""
    of = made.account
    plan, pending = of.plan.name, [
        (made.begins, {
            "industry": of.industry, "region": of.region, "arr": _arr(of, of.seats),
            "csm": of.owner, "customer_since": _date(made.ago(of.customer_for)),
            "crm_provider": of.crm[0], "crm_provider_id": of.crm[1],
            "payment_provider": of.payment[0], "payment_provider_id": of.payment[1],
        }),
        *made.fields,
    ]  # fmt: skip
    pending.sort(key=lambda change: change[0])
    carried: dict[str, Any] = {"name": of.name, "plan": plan, "seats": seats}
    for at, key, user, data in sorted(made.events, key=lambda event: event[0]):
        changed: dict[str, Any] = {}
        while pending and pending[0][0] <= at:
            changed |= pending.pop(0)[1]
        carried |= {name: changed[name] for name in ("plan", "seats") if name in changed}
        yield Happening(at, key, user, carried | changed, data)
