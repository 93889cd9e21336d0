"""Authentication of the API: a key identifies the organization of each request."""

from collections.abc import Collection

from flask import Flask, g, request

from ingress.client.errors import ApiError
from ingress.client.gate import Gate
from models.database import transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from models.organizations import organizations
from models.organizations.organizations import Organization


def authenticate_requests(
    api: Flask, gate: Gate, *, exempt: Collection[str], sending: Collection[str]
) -> None:
    """Require a key for every request except to the exempt endpoints, and count it.

    It must be one that may read, or for the endpoints in `sending` one that may send.

    A request to no route, such as one that is meant for the ingress, gets a 404 with any key.
    """

    @api.before_request
    def authenticate() -> None:
        if request.endpoint in exempt:
            return
        scope = Scope.SEND if request.endpoint in sending else Scope.READ
        holder = gate.authenticate(request.environ, scope if request.url_rule else None)
        g.window = gate.admit(holder)
        g.organization_id, g.key_id = holder.organization_id, holder.key_id
        with transaction():
            api_keys.touch(holder.organization_id, holder.key_id)


def requesting_organization() -> Organization:
    """Return the organization of the request's key, in the current transaction.

    Raises:
        ApiError: the organization was removed in the meantime.
    """
    organization = organizations.find_by_id(g.organization_id)
    if organization is None:
        raise ApiError(401, "Invalid API key")
    return organization
