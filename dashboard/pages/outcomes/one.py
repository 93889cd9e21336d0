"""One outcome: the form to change it, and deleting it."""

from dataclasses import replace

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from dashboard.access import Member, editor
from dashboard.pages.outcomes.form import OutcomeForm
from dashboard.pages.outcomes.frame import blueprint
from dashboard.web.context import now
from models.database import transaction
from models.outcomes import outcomes
from models.outcomes.outcomes import Outcome
from services.accounts.audit import Maker
from services.outcomes.entering import OutcomeRefused, change, remove

TO_COMPANY = "company"
"""The value of `back` on a page that was reached from the company's outcomes."""


@blueprint.get("/all/<int:outcome_id>")
@editor
def outcome(member: Member, outcome_id: int) -> ResponseReturnValue:
    """Show the form to change an outcome."""
    with transaction():
        stored = _find(member, outcome_id)
    amount = "" if stored.amount is None else f"{stored.amount:f}"
    form = OutcomeForm(kind=stored.kind.value, day=stored.day, amount=amount, note=stored.note)
    return _show(stored, form)


@blueprint.post("/all/<int:outcome_id>")
@editor
def edit(member: Member, outcome_id: int) -> ResponseReturnValue:
    """Change an outcome."""
    form = OutcomeForm(request.form)
    is_valid = form.validate()
    try:
        with transaction():
            stored = _find(member, outcome_id)
            if is_valid:
                after = replace(stored, **vars(form.outcome(stored.company_id)))
                change(member.organization.id, stored, after, Maker.of(member.person), now())
    except OutcomeRefused as error:
        form.note_refusal(error)
        is_valid = False
    if not is_valid:
        return _show(stored, form), 422
    flash("The outcome was changed.")
    return _back(stored)


@blueprint.post("/all/<int:outcome_id>/delete")
@editor
def delete(member: Member, outcome_id: int) -> ResponseReturnValue:
    """Delete an outcome."""
    with transaction():
        stored = _find(member, outcome_id)
        remove(member.organization.id, stored, Maker.of(member.person), now())
    flash("The outcome was deleted.")
    return _back(stored)


def _find(member: Member, outcome_id: int) -> Outcome:
    return outcomes.find(member.organization.id, outcome_id) or abort(404)


def _show(stored: Outcome, form: OutcomeForm) -> str:
    back = request.args.get("back")
    return render_template("outcomes/outcome.html", outcome=stored, form=form, back=back)


def _back(stored: Outcome) -> Response:
    """Redirect to the page from which the outcome was opened."""
    if request.args.get("back") == TO_COMPANY:
        return redirect(url_for("company.outcomes", company_id=stored.company), 303)
    return redirect(url_for(".listing"), 303)
