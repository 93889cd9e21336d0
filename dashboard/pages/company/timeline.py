"""What happened to a company: its events and the changes of its health, newest first."""

from flask import request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import blueprint, book_in_force, find_company, show
from dashboard.web.request_values import place
from models.companies import timeline as timelines
from models.database import read_one_snapshot, transaction

PAGE = 50

KINDS = {"": "Everything", "events": "Events", "health": "Changes of health"}

CAUSES = {
    "time": "as time passed",
    "event": "by an event",
    "override": "by hand",
    "rule_change": "by a change of the rules",
}
"""What made a company's health change, in words."""


@blueprint.get("/timeline")
@viewer
def timeline(member: Member, company: str) -> ResponseReturnValue:
    """All of it, or one kind, or the events of one key."""
    kind = request.args.get("kind", "")
    key = request.args.get("key") or None
    if kind not in KINDS:
        kind = ""
    with transaction():
        read_one_snapshot()
        found = find_company(member, company)
        keys = timelines.event_keys(found.id)
        happenings, following = timelines.page(
            found.id,
            events=kind != "health" and (key is None or "\0" not in key),
            transitions=kind != "events" and key is None,
            event_key=key,
            after=place(),
            limit=PAGE,
        )
    return show(
        "company/timeline.html",
        found,
        rows="company/timeline_rows.html",
        happenings=happenings,
        next=url_for(".timeline", kind=kind or None, key=key, after=following)
        if following
        else None,
        first=url_for(".timeline", kind=kind or None, key=key) if place() else None,
        kind=kind,
        kinds=KINDS,
        key=key,
        keys=keys,
        names=event_names(),
        causes=CAUSES,
    )


def event_names() -> dict[str, str]:
    """The names that people know events by, by key."""
    book = book_in_force()
    return {key: event.name for key, event in book.events.items()} if book else {}
