"""Live: what comes in now, in a list that refreshes itself."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import Member, viewer
from dashboard.web.context import app_context, now
from models.companies import companies
from models.database import transaction
from services.incoming import live

blueprint = Blueprint("live", __name__, url_prefix="/o/<name:organization>/events/live")

SHOWN = 50


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show what came in last."""
    return _show("live/page.html", member)


@blueprint.get("/newest")
@viewer
def newest(member: Member) -> ResponseReturnValue:
    """Return the list for the page that shows it already, or nothing if nothing came in."""
    return _show("live/lines.html", member, shown=request.args.get("shown"))


def _show(template: str, member: Member, *, shown: str | None = None) -> ResponseReturnValue:
    at, client, organization_id = now(), app_context().broker.client, member.organization.id
    mark, found = None, None
    try:
        mark = live.watch_newest(organization_id, client)
        if mark == shown:
            return "", 204
        found = live.newest(organization_id, client, at, limit=SHOWN)
    except RedisError:
        pass
    lines = None if found is None else found.lines
    with transaction():
        ids = {line.company for line in lines or () if line.company is not None}
        names = companies.find_names(organization_id, ids)
    return render_template(
        template,
        mark=mark or "",
        lines=lines,
        names=names,
        more=0 if found is None else found.more,
        imported=None if found is None else found.imported,
    )
