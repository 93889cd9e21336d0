"""Owners: which owners of companies a member is, besides the one with their email."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, TextAreaField

from dashboard.access import Member, administrator, viewer
from dashboard.web.context import now, rules_in_force
from dashboard.web.forms import CheckboxesField, choice
from models.database import transaction
from models.people import memberships
from models.people.memberships import ListedMember
from models.people.people import Person, find_by_id
from rules.one_line import is_one_line
from services.accounts import owners
from services.accounts.audit import Maker
from services.accounts.people import ChangeRefused
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("owners", __name__, url_prefix="/o/<name:organization>/settings")

OFFERED = 30
"""How many owners without a member the form offers, those with the most companies first."""


class _OwnersForm(Form):
    owners = TextAreaField("Names, one on each line", render_kw={"rows": 4, "spellcheck": "false"})
    offered = CheckboxesField("Owners without a member", validate_choice=False)


@blueprint.get("/owners")
@viewer
def own(member: Member) -> ResponseReturnValue:
    """Show which owners the visitor is."""
    return _page(member, member.person)


@blueprint.post("/owners")
@viewer
def change_own(member: Member) -> ResponseReturnValue:
    """Change which owners the visitor is."""
    return _change(member, member.person, url_for("owners.own"))


@blueprint.get("/people/<int:person_id>/owners")
@administrator
def page(member: Member, person_id: int) -> ResponseReturnValue:
    """Show which owners a member is."""
    return _page(member, _find_person(person_id))


@blueprint.post("/people/<int:person_id>/owners")
@administrator
def change(member: Member, person_id: int) -> ResponseReturnValue:
    """Change which owners a member is."""
    return _change(member, _find_person(person_id), url_for("people.page"))


def _change(member: Member, person: Person, then: str) -> ResponseReturnValue:
    form = _OwnersForm(request.form)
    texts = [*(form.owners.data or "").splitlines(), *(form.offered.data or [])]
    if not all(map(is_one_line, texts)):
        form.owners.errors = ["Use plain text, one name on each line."]
        return _page(member, person, form), 422
    try:
        with transaction():
            _find_member(member, person)
            owners.change_owners(
                member.organization, person, texts, maker=Maker.of(member.person), at=now()
            )
    except ChangeRefused as error:
        form.owners.errors = [str(error)]
        return _page(member, person, form), 422
    flash(f"The names of {person.email} as an owner were saved.")
    return redirect(then, 303)


def _page(member: Member, person: Person, form: _OwnersForm | None = None) -> str:
    with transaction():
        listed = _find_member(member, person)
        book = rules_in_force(member.organization) or NO_RULES
        unmatched = owners.unmatched_owners(member.organization.id, limit=OFFERED)
    form = form or _OwnersForm(owners="\n".join(listed.owner_values))
    form.offered.choices = [choice(owner, owner) for owner, _ in unmatched]
    values: dict[str, Any] = {
        "person": person,
        "form": form,
        "unmatched": unmatched,
        "owner_field": ".".join(book.team.owner or ()),
        "is_own": person.id == member.person.id,
    }
    return render_template("people/owners.html", **values)


def _find_person(person_id: int) -> Person:
    with transaction():
        person = find_by_id(person_id)
    return person or abort(404)


def _find_member(member: Member, person: Person) -> ListedMember:
    """Return a member of the same organization; 404 for anybody else."""
    listed = memberships.list_for_organization(member.organization.id)
    return next((m for m in listed if m.person_id == person.id), None) or abort(404)
