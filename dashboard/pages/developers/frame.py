"""The frame of the pages for developers: their URLs, and what a role may see."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, abort, render_template

from dashboard.access import Member, Role
from models.webhooks.webhook_endpoints import Endpoint
from services.webhooks import endpoints
from services.webhooks.endpoints import NoSuchEndpoint

blueprint = Blueprint(
    "developers", __name__, url_prefix="/o/<name:organization>/settings/developers"
)


def show(template: str, member: Member, **values: Any) -> str:
    """Render one of the pages."""

    def visible_url(url: str) -> str:
        """Return a webhook's URL, or its host if the member may not see secrets in paths."""
        return url if member.may(Role.ADMINISTRATOR) else urlsplit(url).netloc

    return render_template(
        f"developers/{template}",
        may_change=member.may(Role.ADMINISTRATOR),
        visible_url=visible_url,
        **values,
    )


def find_endpoint(member: Member, endpoint_id: UUID) -> Endpoint:
    """Lock and read an endpoint of the member's organization; 404 for any other."""
    try:
        return endpoints.lock(member.organization.id, endpoint_id)
    except NoSuchEndpoint:
        abort(404)
