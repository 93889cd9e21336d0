"""The timeline of a company: its events, changes of its health and outcomes, newest first."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import blueprint, book_in_force, find_company, show
from dashboard.web.request_values import page_cursor
from models.companies.timeline import TimelineFilter, list_event_keys, read_page
from models.database import read_one_snapshot, transaction

PAGE = 50

KINDS = {"": "Everything", "events": "Events", "health": "Health changes", "outcomes": "Outcomes"}


@blueprint.get("/timeline")
@viewer
def timeline(member: Member, company_id: str) -> ResponseReturnValue:
    """Show the timeline: all of it, one kind, or the events of one key."""
    kind = request.args.get("kind", "")
    key = request.args.get("key") or None
    if kind not in KINDS:
        kind = ""
    with transaction():
        read_one_snapshot()
        company = find_company(member, company_id)
        keys = list_event_keys(company.organization_id, company.id)
        entries, next_cursor = read_page(
            company.organization_id,
            company.id,
            TimelineFilter(
                events=kind in ("", "events") and (key is None or "\0" not in key),
                transitions=kind in ("", "health") and key is None,
                outcomes=kind in ("", "outcomes") and key is None,
                event_key=key,
            ),
            after=page_cursor(),
            limit=PAGE,
        )
    filters: dict[str, Any] = {"kind": kind or None, "key": key}
    return show(
        "company/timeline.html",
        company,
        rows="company/timeline_rows.html",
        entries=entries,
        next=url_for(".timeline", **filters, after=next_cursor) if next_cursor else None,
        first=url_for(".timeline", **filters) if page_cursor() else None,
        kind=kind,
        kinds=KINDS,
        key=key,
        keys=keys,
        names=event_names(),
    )


def event_names() -> dict[str, str]:
    """Return the display names of events by key."""
    book = book_in_force()
    return {key: event.name for key, event in book.events.items()} if book else {}
