"""The outcomes of a company: whether it left, renewed, grew or shrank, and when."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, editor, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.pages.outcomes.form import OutcomeForm, today
from dashboard.pages.outcomes.listing import ENTERED
from dashboard.web.context import now
from models.companies.companies import Company
from models.database import transaction
from models.outcomes import outcomes as stored_outcomes
from services.accounts.audit import Maker
from services.outcomes.entering import OutcomeRefused, enter

MOST = 200
"""Outcomes that are shown of one company."""


@blueprint.get("/outcomes")
@viewer
def outcomes(member: Member, company_id: str) -> ResponseReturnValue:
    """Show the outcomes of a company, newest first."""
    with transaction():
        company = find_company(member, company_id)
        return _show(company, OutcomeForm(day=today()))


@blueprint.post("/outcomes")
@editor
def add_outcome(member: Member, company_id: str) -> ResponseReturnValue:
    """Add an outcome of a company."""
    form = OutcomeForm(request.form)
    with transaction():
        company = find_company(member, company_id)
        if not form.validate():
            return _show(company, form), 422
        try:
            entered = enter(company, form.outcome(company.id), Maker.of(member.person), now())
        except OutcomeRefused as error:
            form.note_refusal(error)
            return _show(company, form), 422
    flash(ENTERED[entered.did])
    return redirect(url_for(".outcomes"), 303)


def _show(company: Company, form: OutcomeForm) -> str:
    listed = stored_outcomes.list_for_company(company.organization_id, company.id, limit=MOST)
    return show("company/outcomes.html", company, form=form, outcomes=listed)
