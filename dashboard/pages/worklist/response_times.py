"""How long items waited until somebody did something about them, by whose they are."""

from datetime import timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.worklist.frame import blueprint
from dashboard.web.context import now
from dashboard.web.request_values import database_bigint, page_cursor
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.health.work_items import touch_times
from models.health.work_items.touch_times import ItemsOf
from models.people import memberships

OPENED_WITHIN = timedelta(days=30)
MOST_ROWS = 200
PAGE = 50
TOUCHED = {"yes": True, "no": False}


@blueprint.get("/worklist/response-times")
@viewer
def response_times(member: Member) -> ResponseReturnValue:
    """Show the median time to the first touch of the items of 30 days, by member or owner."""
    organization_id = member.organization.id
    with transaction():
        read_one_snapshot()
        owners = memberships.list_owner_keys(organization_id)
        times = touch_times.list_by_person(
            organization_id, owners, now() - OPENED_WITHIN, limit=MOST_ROWS
        )
        listed = memberships.list_for_organization(organization_id)
    names = {each.person_id: each.name for each in listed}
    return render_template("worklist/response_times.html", times=times, names=names)


@blueprint.get("/worklist/response-times/items")
@viewer
def timed_items(member: Member) -> ResponseReturnValue:
    """Show the items behind a number of a member, an owner or nobody, the latest first."""
    organization_id = member.organization.id
    person_id = request.args.get("person", type=database_bigint)
    owner = request.args.get("owner") if person_id is None else None
    touched, after = request.args.get("touched", ""), page_cursor()
    of: dict[str, Any] = {"person": person_id, "owner": owner, "touched": touched or None}
    try:
        with transaction():
            read_one_snapshot()
            found = touch_times.list_items(
                organization_id,
                memberships.list_owner_keys(organization_id),
                now() - OPENED_WITHIN,
                ItemsOf(person_id, owner, TOUCHED.get(touched)),
                after=after,
                limit=PAGE,
            )
            listed = memberships.list_for_organization(organization_id)
    except UnreadableCursor:
        return redirect(url_for(".timed_items", **of), 303)
    return render_template(
        "worklist/timed_items.html",
        items=found.items,
        of=of,
        name=next((each.name for each in listed if each.person_id == person_id), None),
        first=url_for(".timed_items", **of) if after else None,
        next=url_for(".timed_items", after=found.next, **of) if found.next else None,
    )
