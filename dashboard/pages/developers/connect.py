"""How data gets here: from an SDK that is in use already, from an export, or from own code."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, Role, administrator, viewer
from dashboard.pages.developers.arrivals import read_arrivals
from dashboard.pages.developers.code_samples import KEY, request_samples, sdk_samples
from dashboard.pages.developers.frame import blueprint, show
from dashboard.pages.developers.key_forms import KeyForm
from dashboard.web.context import now, rules_in_force
from dashboard.web.ingress_address import ingress_address
from models.database import transaction
from models.keys.scopes import Scope
from models.people import memberships
from services.accounts import keys
from services.accounts.audit import Maker

SENDING = (Scope.SEND,)
"""The scopes of a key that is created here."""


@dataclass(frozen=True)
class Door:
    """One way in: its name in URLs, its title, and what it takes."""

    name: str
    title: str
    about: str


DOORS = (
    Door(
        "sdk",
        "My application already uses Segment, RudderStack or PostHog",
        "Change two settings of the SDK: the address and the key. The rest of your code stays.",
    ),
    Door(
        "export",
        "I have an export",
        "Load a year of events and your companies from files. You see at once who is at risk,"
        " and since when.",
    ),
    Door(
        "code",
        "I write code",
        "Send an event with one HTTP request, in any language.",
    ),
)

_DOOR = f"/connect/<any({', '.join(door.name for door in DOORS)}):door>"


@blueprint.get("/connect")
@viewer
def connect(member: Member) -> ResponseReturnValue:
    """Show the ways in."""
    return show("connect.html", member, doors=DOORS)


@blueprint.get(_DOOR)
@viewer
def door(member: Member, door: str) -> ResponseReturnValue:
    """Show the steps of one way in."""
    return _page(member, door, KeyForm(name="My application"))


@blueprint.post(f"{_DOOR}/key")
@administrator
def create_sending_key(member: Member, door: str) -> ResponseReturnValue:
    """Create a key that only sends, and show the steps with it. It is shown only once."""
    form = KeyForm(name=request.form.get("name", ""), scopes=[*SENDING])
    if not form.validate():
        return _page(member, door, form), 422
    with transaction():
        key = keys.create(
            member.organization.id,
            str(form.name.data),
            SENDING,
            maker=Maker.of(member.person),
            at=now(),
        )
    return _page(member, door, form, key)


def _page(member: Member, name: str, form: KeyForm, key: str | None = None) -> str:
    with transaction():
        found = read_arrivals(member)
        book = rules_in_force(member.organization)
        members = memberships.list_for_organization(member.organization.id)
    enabled = [key for key, event in book.events.items() if event.enabled] if book else []
    address = ingress_address()
    values: dict[str, Any] = {}
    if name == "sdk":
        values["samples"] = sdk_samples(address.url, key or KEY)
    elif name == "code":
        event_key = enabled[0] if enabled else "login"
        values["samples"] = request_samples(address.url, key or KEY, event_key)
    return show(
        f"{name}.html",
        member,
        doors=DOORS,
        door=next(door for door in DOORS if door.name == name),
        form=form,
        key=key,
        address=address,
        found=found,
        enabled=enabled,
        administrators=[
            member
            for member in members
            if member.role == Role.ADMINISTRATOR.value and member.disabled_at is None
        ],
        pages=current_app.view_functions,
        **values,
    )
