"""What the pages for developers share: where they are, and what a role is shown."""

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


def show(template: str, member: Member, **shown: Any) -> str:
    """One of the pages."""

    def where(url: str) -> str:
        """Where a webhook goes: its path is often a secret, which administrators made."""
        return url if member.may(Role.ADMINISTRATOR) else urlsplit(url).netloc

    return render_template(
        f"developers/{template}",
        may_change=member.may(Role.ADMINISTRATOR),
        where=where,
        **shown,
    )


def find_endpoint(member: Member, endpoint_id: UUID) -> Endpoint:
    """Lock and read an endpoint of the member's organization; 404 for any other."""
    try:
        return endpoints.find(member.organization.id, endpoint_id)
    except NoSuchEndpoint:
        abort(404)
