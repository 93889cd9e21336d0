"""Whom a request comes from, and the decorators that say who may see a page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from flask import abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from models.organizations.organizations import Organization
from models.people.memberships import Membership
from models.people.people import Person
from models.people.sessions import Session
from services.accounts.roles import Role

P = ParamSpec("P")
View = Callable[..., ResponseReturnValue]

ADMITS = "admits"
"""The attribute of a view that says whom it admits. A page without one is a mistake of ours, and
keeps the application from starting."""


@dataclass(frozen=True)
class Visitor:
    """A person who is signed in, in one browser."""

    person: Person
    session: Session
    memberships: list[Membership]


@dataclass(frozen=True)
class Member:
    """A person in the organization whose page they ask for."""

    person: Person
    organization: Organization
    role: Role

    def may(self, role: Role | str) -> bool:
        """Whether the member has this role, or one that includes it."""
        return self.role.includes(Role(role))


def visitor() -> Visitor | None:
    """Whoever is signed in; None for nobody."""
    found: Visitor | None = g.get("visitor")
    return found


def viewer(view: Callable[Concatenate[Member, P], ResponseReturnValue]) -> View:
    """A page of an organization that all its members may see.

    The view is handed the `Member`; `organization` is taken off what its address says.
    """
    return _for_members(Role.VIEWER, view)


def editor(view: Callable[Concatenate[Member, P], ResponseReturnValue]) -> View:
    """A page or change of an organization for its editors and administrators."""
    return _for_members(Role.EDITOR, view)


def administrator(view: Callable[Concatenate[Member, P], ResponseReturnValue]) -> View:
    """A page or change of an organization for its administrators."""
    return _for_members(Role.ADMINISTRATOR, view)


def signed_in(view: Callable[Concatenate[Visitor, P], ResponseReturnValue]) -> View:
    """A page for everybody who is signed in; the view is handed the `Visitor`."""

    @wraps(view)
    def admit(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        found = visitor()
        return view(found, *args, **kwargs) if found else to_sign_in()

    setattr(admit, ADMITS, "signed in")
    return admit


def everybody(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """A page that needs nobody to be signed in, or that checks for itself who asks."""
    setattr(view, ADMITS, "everybody")
    return view


def _for_members(role: Role, view: Callable[Concatenate[Member, P], ResponseReturnValue]) -> View:
    @wraps(view)
    def admit(organization: str, *args: Any, **kwargs: Any) -> ResponseReturnValue:
        found = visitor()
        if found is None:
            return to_sign_in()
        member = _membership(found, organization)
        if not member.may(role):
            abort(403)
        g.member = member
        return view(member, *args, **kwargs)

    setattr(admit, ADMITS, role.value)
    return admit


def _membership(found: Visitor, organization: str) -> Member:
    """The visitor as a member; to everybody else the organization does not exist."""
    mine = {membership.organization.name: membership for membership in found.memberships}
    if organization not in mine:
        abort(404)
    membership = mine[organization]
    return Member(found.person, membership.organization, Role(membership.role))


def to_sign_in() -> Response:
    """Ask who it is, and go on afterwards where they wanted to go."""
    by_htmx = "HX-Request" in request.headers
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    if by_htmx:
        wanted = urlsplit(request.headers.get("HX-Current-URL", "")).path or None
    address = url_for("sign_in.page", next=wanted if wanted != "/" else None)
    if by_htmx:
        # A redirect would put the sign-in page into the place of a fragment.
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(address, 303)
