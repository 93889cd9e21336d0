"""People: the members of an organization and their roles."""

from collections.abc import Callable
from functools import partial

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

from dashboard.access import Member, Role, administrator
from dashboard.access.visitors import visitor
from dashboard.web.context import app_context, now
from dashboard.web.forms import email_field, name_field, role_field
from models.database import transaction
from models.people import memberships, people
from models.people.people import Person
from services.accounts import people as changes
from services.accounts.audit import Maker
from services.accounts.passwords import random_password
from services.accounts.people import ChangeRefused, NewMember

blueprint = Blueprint("people", __name__, url_prefix="/o/<name:organization>/settings/people")


class _AddForm(Form):
    email = email_field()
    name = name_field(optional=True, description="They can change it themselves.")
    role = role_field(default=Role.VIEWER.value)


@blueprint.get("")
@administrator
def page(member: Member) -> ResponseReturnValue:
    """Show the members of the organization."""
    return _page(member, _AddForm())


@blueprint.post("")
@administrator
def add(member: Member) -> ResponseReturnValue:
    """Add a member. The password of a new person is shown only once."""
    form = _AddForm(request.form)
    if not form.validate():
        return _page(member, form), 422
    password = random_password()
    password_hash = app_context().passwords.hash(password)
    try:
        with transaction():
            added = changes.add(
                member.organization,
                NewMember(str(form.email.data), form.name.data, password_hash),
                Role(form.role.data),
                maker=Maker.of(member.person),
                at=now(),
            )
    except ChangeRefused as error:
        form.email.errors = [str(error)]
        return _page(member, form), 422
    if added.is_new:
        return _show_password(added.person, password, new=True)
    flash(f"{added.person.email} is now a member and signs in as before.")
    return redirect(url_for("people.page"), 303)


@blueprint.post("/<int:person_id>/role")
@administrator
def change_role(member: Member, person_id: int) -> ResponseReturnValue:
    """Change the role of a member."""
    chosen = request.form.get("role", "")
    if chosen not in list(Role):
        abort(400)
    role = Role(chosen)

    change = partial(changes.change_role, member.organization, role=role)
    article = "an" if role != Role.VIEWER else "a"
    return _change(member, person_id, change, f"is now {article} {role.value}.")


@blueprint.post("/<int:person_id>/remove")
@administrator
def remove(member: Member, person_id: int) -> ResponseReturnValue:
    """End a membership."""
    change = partial(changes.remove, member.organization)
    return _change(member, person_id, change, "is no longer a member.")


@blueprint.post("/<int:person_id>/disable")
@administrator
def disable(member: Member, person_id: int) -> ResponseReturnValue:
    """Disable a person: end their sessions and reject new ones."""
    outcome = "can no longer sign in and was signed out everywhere."
    return _change(member, person_id, changes.disable, outcome, everywhere=True)


@blueprint.post("/<int:person_id>/enable")
@administrator
def enable(member: Member, person_id: int) -> ResponseReturnValue:
    """Let a disabled person sign in again."""
    return _change(member, person_id, changes.enable, "can sign in again.", everywhere=True)


@blueprint.post("/<int:person_id>/password")
@administrator
def reset_password(member: Member, person_id: int) -> ResponseReturnValue:
    """Set a new random password for a person. It is shown only once."""
    password = random_password()
    password_hash = app_context().passwords.hash(password)
    try:
        with transaction():
            person = _find_member(member, person_id)
            _check_administers_all(person)
            changes.set_password(person, password_hash, maker=Maker.of(member.person), at=now())
    except ChangeRefused as error:
        flash(str(error), "error")
        return redirect(url_for("people.page"), 303)
    return _show_password(person, password, new=False)


def _page(member: Member, form: _AddForm) -> str:
    with transaction():
        listed = memberships.list_for_organization(member.organization.id)
    return render_template("people/page.html", people=listed, form=form, roles=list(Role))


def _show_password(person: Person, password: str, *, new: bool) -> str:
    return render_template("people/password.html", person=person, password=password, new=new)


def _change(
    member: Member,
    person_id: int,
    change: Callable[..., object],
    outcome: str,
    *,
    everywhere: bool = False,
) -> ResponseReturnValue:
    """Change a person in one transaction, and show the outcome.

    With `everywhere`, the change affects all organizations of the person, so the member must
    administer all of them.
    """
    try:
        with transaction():
            person = _find_member(member, person_id)
            if everywhere:
                _check_administers_all(person)
            change(person, maker=Maker.of(member.person), at=now())
    except ChangeRefused as error:
        flash(str(error), "error")
    else:
        flash(f"{person.email} {outcome}")
    return redirect(url_for("people.page"), 303)


def _find_member(member: Member, person_id: int) -> Person:
    """Return a member of the same organization; 404 for anybody else."""
    if memberships.find_role(member.organization.id, person_id) is None:
        abort(404)
    person = people.find_by_id(person_id)
    return person or abort(404)


def _check_administers_all(person: Person) -> None:
    """Check that the visitor administers every organization of a person.

    Raises:
        ChangeRefused: they do not.
    """
    current = visitor()
    administered = [
        membership.organization.id
        for membership in (current.memberships if current else [])
        if membership.role == Role.ADMINISTRATOR
    ]
    if not changes.administers_all_of(administered, person):
        raise ChangeRefused(
            f"{person.email} also belongs to organizations that you do not administer."
            " You can only remove them from this one."
        )
