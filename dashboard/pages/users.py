"""The page of one user: fields, companies, activity by week, and events, newest first."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.access.visitors import reader_zone
from dashboard.presentation.charts import weeks
from dashboard.web.context import now, rules_in_force
from dashboard.web.request_values import page_cursor
from models import user_profiles
from models.database import read_one_snapshot, transaction
from models.user_profiles import UserProfile
from services.time_zones import start_of_day

blueprint = Blueprint("users", __name__, url_prefix="/o/<name:organization>/users")

PAGE = 50

SPAN = timedelta(days=90)
"""The time whose events are counted by week."""

WIDE, NARROW = 920, 330
"""Widths of the chart in pixels, on a desktop and on a phone."""


@blueprint.get("/<name:user_id>")
@viewer
def page(member: Member, user_id: str) -> ResponseReturnValue:
    """Show a user, or for htmx its next events alone."""
    organization_id, after = member.organization.id, page_cursor()
    with transaction():
        read_one_snapshot()
        user = user_profiles.find(organization_id, user_id) or abort(404)
        events, following = user_profiles.read_events(
            organization_id, user.row_id, after=after, limit=PAGE
        )
        book = rules_in_force(member.organization)
        values: dict[str, Any] = {
            "user": user,
            "events": events,
            "names": {key: event.name for key, event in book.events.items()} if book else {},
            "statuses": book.statuses if book else (),
            "next": url_for(".page", user_id=user_id, after=following) if following else None,
            "first": url_for(".page", user_id=user_id) if after else None,
        }
        values["companies"] = user_profiles.list_companies(organization_id, user.row_id)
        if after and "HX-Request" in request.headers:
            return render_template("users/rows.html", **values)
        values |= _activity(organization_id, user, now())
    return render_template("users/page.html", most=user_profiles.MOST_COUNTED, **values)


def _activity(organization_id: int, user: UserProfile, at: datetime) -> dict[str, Any]:
    """Count the user's events by week, and draw them for both widths."""
    zone = reader_zone()
    first = (at - SPAN).astimezone(zone).date()
    monday = first - timedelta(days=first.weekday())
    since = start_of_day(monday, zone)
    times = user_profiles.read_times(organization_id, user.row_id, since=since)
    counts = Counter(_monday_of(time.astimezone(zone).date()) for time in times)
    wide, narrow = (
        weeks.draw(counts, since, at, width=width, zone=zone) for width in (WIDE, NARROW)
    )
    mondays = [monday + number * weeks.WEEK for number in range((at - since) // weeks.WEEK + 1)]
    return {
        "wide": wide,
        "narrow": narrow,
        "today": at.astimezone(zone).date(),
        "weeks": _newest_first(mondays, counts),
        "counted": len(times),
    }


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _newest_first(mondays: Sequence[date], counts: Counter[date]) -> list[tuple[date, int]]:
    return [(monday, counts[monday]) for monday in reversed(mondays)]
