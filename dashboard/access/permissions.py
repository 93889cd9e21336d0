"""Decorators that declare who may open a page, and the member that a page receives."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from dashboard.access.visitors import Visitor, visitor
from models.organizations.organizations import Organization
from models.people.people import Person
from services.accounts.owners import owners_of
from services.accounts.roles import Role

P = ParamSpec("P")
View = Callable[..., ResponseReturnValue]

_DECLARED_ACCESS = "declared_access"
"""The attribute that the decorators set on a view."""


@dataclass(frozen=True)
class Member:
    """A person in the organization whose page they request."""

    person: Person
    organization: Organization
    role: Role
    owners: tuple[str, ...] = ()
    """The values of companies' owner that mean this person, the email first."""

    def may(self, role: Role | str) -> bool:
        """Whether the member has this role, or one that includes it."""
        return self.role.includes(Role(role))


def viewer(view: Callable[Concatenate[Member, P], ResponseReturnValue]) -> View:
    """Open a page of an organization to all its members.

    The view receives the `Member` in place of the URL's `organization`.
    """
    return _require_role(Role.VIEWER, view)


def editor(view: Callable[Concatenate[Member, P], ResponseReturnValue]) -> View:
    """Open a page or change of an organization to its editors and administrators."""
    return _require_role(Role.EDITOR, view)


def administrator(view: Callable[Concatenate[Member, P], ResponseReturnValue]) -> View:
    """Open a page or change of an organization to its administrators."""
    return _require_role(Role.ADMINISTRATOR, view)


def signed_in(view: Callable[Concatenate[Visitor, P], ResponseReturnValue]) -> View:
    """Open a page to everybody who is signed in; the view receives the `Visitor`."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        current = visitor()
        return view(current, *args, **kwargs) if current else _redirect_to_sign_in()

    setattr(checked, _DECLARED_ACCESS, "signed in")
    return checked


def public(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Open a page to everybody, signed in or not; the view may check for itself."""
    setattr(view, _DECLARED_ACCESS, "public")
    return view


def require_declared_access(app: Flask) -> None:
    """Keep an application with an undeclared page from starting.

    Raises:
        RuntimeError: a view has none of the decorators of this module.
    """
    for endpoint, view in app.view_functions.items():
        if endpoint != "static" and not hasattr(view, _DECLARED_ACCESS):
            raise RuntimeError(
                f"{endpoint} does not declare who may open it; see dashboard.access.permissions"
            )


def _require_role(role: Role, view: Callable[Concatenate[Member, P], ResponseReturnValue]) -> View:
    @wraps(view)
    def checked(organization: str, *args: Any, **kwargs: Any) -> ResponseReturnValue:
        current = visitor()
        if current is None:
            return _redirect_to_sign_in()
        member = _member_of(organization, current)
        if not member.may(role):
            abort(403)
        g.member = member
        return view(member, *args, **kwargs)

    setattr(checked, _DECLARED_ACCESS, role.value)
    return checked


def _member_of(organization: str, current: Visitor) -> Member:
    """Return the visitor as a member; to others the organization does not exist."""
    by_name = {membership.organization.name: membership for membership in current.memberships}
    if organization not in by_name:
        abort(404)
    membership = by_name[organization]
    owners = owners_of(current.person, membership)
    return Member(current.person, membership.organization, Role(membership.role), owners)


def _redirect_to_sign_in() -> Response:
    """Redirect to the sign-in page, which then leads back to the requested page."""
    by_htmx = "HX-Request" in request.headers
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    if by_htmx:
        target = urlsplit(request.headers.get("HX-Current-URL", "")).path or None
    address = url_for("sign_in.page", next=target if target != "/" else None)
    if by_htmx:
        # htmx would follow a redirect and put the sign-in page in place of the fragment.
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(address, 303)
