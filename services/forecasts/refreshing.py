"""Keeps the forecast of an organization's companies up to date, in the background.

A forecast follows each company from now on as if no event came. It changes only when the company is
evaluated: because of an event, a field, an override, new rules, or because time has changed a flag.
Companies that left have none, and leaving or returning counts as an evaluation. So a refresh makes
the forecasts again of the companies that were evaluated since the last one; once a day it makes
all, so that they reach as far ahead as pages show.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from models.companies import companies
from models.database import transaction
from models.health import forecasts, upcoming_changes
from models.health.forecasts import Forecast, Refresh
from models.organizations import rule_versions
from services.forecasts.summaries import summarize
from services.rules.planned_changes import forecast_transitions
from services.rules.rule_books import RuleBooks

HORIZON = timedelta(days=33)
"""How far ahead a forecast reaches: 30 days that begin up to a day later, in any time zone."""

COMPLETE_EVERY = timedelta(days=1)

FRESH = timedelta(minutes=1)
COST_FACTOR = 10
"""A forecast stays fresh for at least this many times the duration of its last refresh."""

ASKED_WITHIN = timedelta(days=7)
"""The clock keeps forecasts up to date that somebody looked at in this time."""

LATEST_COMMIT = timedelta(minutes=1)
"""An evaluation may become visible this long after the time that it has."""

CHUNK = 500
"""Companies that are forecast in one transaction."""

SLICE_SECONDS = 5.0
"""After this time, other work of the same worker gets its turn."""


def refresh(organization_id: int, rulebooks: RuleBooks, now: Callable[[], datetime]) -> bool:
    """Refresh a forecast for a few seconds, and return whether anything is left to do.

    Raises:
        RulesUnreadable: the rules in force cannot be read.
    """
    started = time.monotonic()
    while refresh_chunk(organization_id, rulebooks, now()):
        if time.monotonic() - started >= SLICE_SECONDS:
            return True
    return False


def refresh_chunk(organization_id: int, rulebooks: RuleBooks, now: datetime) -> bool:
    """Refresh the forecasts of a chunk of companies, in a transaction of its own.

    Return whether anything is left to do for this process: False if it is done or still fresh, if
    another process refreshes it, or if nobody has asked for it.

    Raises:
        RulesUnreadable: the rules in force cannot be read.
    """
    with transaction():
        forecast = forecasts.lock(organization_id)
        running = forecast and (forecast.refresh or _begin(organization_id, forecast, now))
        if not running:
            return False
        ids = forecasts.list_company_ids(organization_id, running, limit=CHUNK)
        if ids:
            _forecast(organization_id, ids, rulebooks, now)
            forecasts.advance_refresh(organization_id, after=ids[-1])
            return True
        forecasts.finish_refresh(organization_id, now)
        return False


def is_fresh(forecast: Forecast, now: datetime) -> bool:
    """Whether a forecast need not be refreshed yet."""
    if forecast.as_of is None or forecast.finished_at is None:
        return False
    took = forecast.finished_at - forecast.as_of
    return now < max(forecast.as_of + FRESH, forecast.finished_at + COST_FACTOR * took)


def _begin(organization_id: int, forecast: Forecast, now: datetime) -> Refresh | None:
    """Begin to refresh a forecast, unless it is fresh."""
    if is_fresh(forecast, now):
        return None
    since = forecast.evaluated_until
    if forecast.complete_at is None or now - forecast.complete_at >= COMPLETE_EVERY:
        since = None
    return forecasts.begin_refresh(
        organization_id, now, since=None if since is None else since - LATEST_COMMIT
    )


def _forecast(
    organization_id: int, ids: Sequence[int], rulebooks: RuleBooks, now: datetime
) -> None:
    """Make and store the forecasts of companies."""
    version = rule_versions.read_current(organization_id)
    found = companies.find_by_ids(organization_id, ids)
    chunk = [company for company in found if company.left_on is None]
    changes = [
        change
        for company, transitions, book in forecast_transitions(
            organization_id, chunk, version, now, now + HORIZON, rulebooks
        )
        for change in summarize(company, transitions, book)
    ]
    upcoming_changes.replace(organization_id, ids, changes)
