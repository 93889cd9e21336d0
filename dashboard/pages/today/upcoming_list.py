"""The first upcoming changes on Today: those with which the list on the page Upcoming begins."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboard.access import Member
from dashboard.access.visitors import reader_zone
from models.health import forecasts, upcoming_changes
from models.health.forecasts import Forecast
from models.health.upcoming_changes import Direction, ListedChange, UpcomingFilter
from services.time_zones import start_of_day

DAYS = 7
"""Ahead, beginning with today, as on the page Upcoming."""

FIRST = 5
"""Companies on Today."""


@dataclass(frozen=True)
class FirstChanges:
    """The first rows of a forecast; there are none until it was computed for the first time."""

    forecast: Forecast | None
    rows: Sequence[ListedChange]


def read_upcoming(member: Member, at: datetime, owners: Collection[str] | None) -> FirstChanges:
    """Read the forecast of an organization, and its first rows.

    `owners` limits them to their companies; None is no limit.
    """
    zone = reader_zone()
    last = at.astimezone(zone).date() + timedelta(days=DAYS)
    organization_id = member.organization.id
    forecast = forecasts.find(organization_id)
    if owners is not None and not owners:
        return FirstChanges(forecast, [])
    chosen = UpcomingFilter(start_of_day(last, zone), tuple(owners or ()))
    rows, _ = upcoming_changes.read_page(organization_id, chosen, after=None, limit=FIRST)
    return FirstChanges(forecast, rows)


def upcoming_reasons(row: ListedChange) -> list[tuple[str, str]]:
    """Return why a company will change: for each flag a few words, and its whole description.

    The few words are about how it becomes worse.
    """
    worse = row.direction is Direction.WORSE
    return [((worse and flag["reason"]) or flag["flag"], _in_full(flag)) for flag in row.flags]


def _in_full(flag: Mapping[str, Any]) -> str:
    unless = flag["unless"] and f", unless {flag['unless']}"
    return f"{flag['description']}{unless or ''}"


def prevention_of(row: ListedChange) -> str | None:
    """Return what would prevent that a company gets the status, in words that follow "unless".

    It becomes worse by any of the flags that reach the worst status, so each has to be prevented;
    it becomes better only once all flags do, so one is enough. None if no event would prevent it.
    """
    if row.direction is Direction.WORSE:
        ways = [flag["unless"] for flag in row.flags if flag["after"] == row.worst_status]
        return " and ".join(dict.fromkeys(ways)) if ways and all(ways) else None
    if row.direction is Direction.RETURNS:
        return None
    ways = [flag["unless"] for flag in row.flags if flag["before"] == row.from_status]
    return " or ".join(dict.fromkeys(filter(None, ways))) or None
