"""How long items waited until somebody did something about them, by whose they are."""

from datetime import timedelta

from flask import render_template
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.worklist.frame import blueprint
from dashboard.web.context import now
from models.database import read_one_snapshot, transaction
from models.health.work_items import touch_times
from models.people import memberships

OPENED_WITHIN = timedelta(days=30)
MOST_ROWS = 200


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
