"""What the users of a customer do: sessions on working days, silences, returns, ticket storms."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo.customers.accounts import User
from demo.customers.contracts import Seats
from demo.customers.recorder import DAY, Recorder, midnight
from demo.customers.working_hours import OFFSETS, activity_factor, working_instant

ACTIONS = {
    "report_created": 46, "dashboard_viewed": 34, "data_exported": 12, "support_ticket_opened": 1.2,
}  # fmt: skip
"""Weights of the actions in a session."""

ACTIONS_IN_SESSION = 0.95
"""The average number of actions, besides signing in."""

TOPICS = ("import", "permissions", "billing", "slow dashboards", "export", "single sign-on")

WORKING_DAYS_PER_MONTH = 21.5


def record_working_days(recorder: Recorder, team: list[User], seats: Seats) -> None:
    """Record invitations, and the sessions of every user and day."""
    account, chance, trajectory = recorder.account, recorder.chance, recorder.account.trajectory
    eagerness = [chance.lognormvariate(-0.08, 0.4) for _ in team]
    invited_at = [_invited_at(recorder, index, team, seats) for index in range(len(team))]
    for index, at in enumerate(invited_at):
        if index and at > recorder.start:
            recorder.add(at, "teammate_invited", team[0], {"email": team[index].email})
    offset = OFFSETS[account.region]
    day = midnight(recorder.start + offset)
    while day <= recorder.now + offset:
        days_ago = (recorder.now - day) / DAY
        activity = activity_factor(day.date(), account.industry, account.region) * trajectory.level(
            max(days_ago, 0)
        )
        expected = activity * account.plan.sessions / WORKING_DAYS_PER_MONTH
        for index, user in enumerate(team):
            if (
                chance.random() < min(0.97, expected * eagerness[index])
                and invited_at[index] < day + DAY
            ):
                at = working_instant(chance, day, account.region)
                if at >= invited_at[index] and not _is_silent(recorder, at):
                    _record_session(recorder, at, user)
        day += DAY


def record_exceptional_days(recorder: Recorder, team: list[User]) -> None:
    """Record the last day before a silence, the day of a return, and a storm of tickets."""
    chance, trajectory = recorder.chance, recorder.account.trajectory
    for started, ended in trajectory.silences:
        at = recorder.now - started - timedelta(minutes=chance.uniform(10, 40))
        recorder.add(at, "signed_in", team[0], {"source": "web"})
        for user in team[:4] if ended else ():  # the silence is over
            at = recorder.now - ended + timedelta(minutes=chance.uniform(1, 70))
            _record_session(recorder, at, user)
            recorder.add(at + timedelta(seconds=97), "report_created", user, {"template": "blank"})
    if trajectory.tickets is not None:
        at = recorder.ago(trajectory.tickets)
        for _ in range(chance.randint(3, 7)):
            at += timedelta(hours=chance.uniform(0.3, 14))
            data = {"severity": chance.choice(("high", "high", "urgent")), "topic": TOPICS[0]}
            recorder.add(at, "support_ticket_opened", chance.choice(team[:3]), data)


def _invited_at(recorder: Recorder, index: int, team: list[User], seats: Seats) -> datetime:
    """Choose when a user is invited: three within hours, others up to weeks after their seat."""
    if index == 0:
        return recorder.start
    final_number = seats[-1][1]
    seat_since = next(at for at, number in seats if index < len(team) * number / final_number)
    delay = recorder.chance.uniform(0, 2) ** 2
    return seat_since + (timedelta(weeks=delay) if index > 2 else timedelta(hours=delay))


def _is_silent(recorder: Recorder, at: datetime) -> bool:
    return any(
        recorder.now - started <= at < recorder.now - ended
        for started, ended in recorder.account.trajectory.silences
    )


def _record_session(recorder: Recorder, at: datetime, user: User) -> None:
    chance = recorder.chance
    source = chance.choice(("web", "web", "web", "mobile"))
    recorder.add(at, "signed_in", user, {"source": source})
    while chance.random() < ACTIONS_IN_SESSION / (1 + ACTIONS_IN_SESSION):
        at += timedelta(seconds=round(chance.expovariate(1 / 400) + 15, 3))
        if _is_silent(recorder, at):
            return
        key = chance.choices(tuple(ACTIONS), tuple(ACTIONS.values()))[0]
        recorder.add(at, key, user, _action_data(chance, key))


def _action_data(chance: Random, key: str) -> dict[str, Any] | None:
    match key:
        case "report_created":
            return {"template": chance.choice(("revenue", "pipeline", "cost", "blank"))}
        case "data_exported":
            return {"format": chance.choice(("csv", "xlsx", "pdf")), "rows": chance.randrange(9000)}
        case "support_ticket_opened":
            severity = chance.choices(("low", "normal", "high"), (50, 42, 8))[0]
            return {"severity": severity, "topic": chance.choice(TOPICS)}
    return None
