"""The list of all outcomes, with the form to add one."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, editor, viewer
from dashboard.pages.outcomes.form import OutcomeOfCompanyForm, today
from dashboard.pages.outcomes.frame import TITLES, blueprint
from dashboard.web.context import now
from dashboard.web.request_values import page_cursor
from models.companies import companies, company_list
from models.companies.companies import Company
from models.companies.company_filter import CompanyFilter
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.outcomes import outcomes
from models.outcomes.outcomes import OutcomeFilter, OutcomeKind
from services.accounts.audit import Maker
from services.outcomes.entering import Entered, OutcomeRefused, enter

PAGE = 50

MOST_MATCHES = 5
"""Companies that are offered where a text matches several."""

ENTERED = {
    Entered.CREATED: "The outcome was added.",
    Entered.CHANGED: "The outcome existed already. Its amount and note were changed.",
    Entered.UNCHANGED: "The outcome exists already.",
}


@blueprint.get("/all")
@viewer
def listing(member: Member) -> ResponseReturnValue:
    """Show the outcomes of all companies, newest first, and their totals by kind."""
    try:
        return _show(member, OutcomeOfCompanyForm(day=today()))
    except UnreadableCursor:
        return redirect(url_for(".listing"), 303)


@blueprint.post("/all")
@editor
def add(member: Member) -> ResponseReturnValue:
    """Add an outcome of a company."""
    form = OutcomeOfCompanyForm(request.form)
    if not form.validate():
        return _show(member, form), 422
    try:
        with transaction():
            company = _find_company(member, form)
            if company is not None:
                maker = Maker.of(member.person)
                entered = enter(company, form.outcome(company.id), maker, now())
    except OutcomeRefused as error:
        form.note_refusal(error)
        return _show(member, form), 422
    if company is None:
        return _show(member, form), 422
    flash(f"{company.name}: {ENTERED[entered.did]}")
    return redirect(url_for(".listing"), 303)


def _find_company(member: Member, form: OutcomeOfCompanyForm) -> Company | None:
    """Find the company that the form names by its id, or else by a part of its name."""
    organization_id, text = member.organization.id, str(form.company.data)
    if company := companies.find(organization_id, text):
        return company
    matching = CompanyFilter(text=text)
    page = company_list.read_page(organization_id, matching, limit=MOST_MATCHES)
    exact = [found for found in page.companies if found.name.lower() == text.lower()]
    found = exact if len(exact) == 1 else page.companies
    if len(found) == 1:
        return companies.find(organization_id, found[0].id)
    message = "No company has this ID or name."
    if found:
        named = "; ".join(f"{each.name} has the ID {each.id}" for each in found)
        message = f"{page.total:,} companies match. Enter an ID: {named}."
    form.company.errors = [message]
    return None


def _show(member: Member, form: OutcomeOfCompanyForm) -> str:
    kind = request.args.get("kind", "")
    chosen = OutcomeKind(kind) if kind in list(OutcomeKind) else None
    after = page_cursor()
    with transaction():
        read_one_snapshot()
        matching = OutcomeFilter(kind=chosen)
        listed, next_cursor = outcomes.read_page(
            member.organization.id, matching, after=after, limit=PAGE
        )
        totals = outcomes.total_by_kind(member.organization.id)
    return render_template(
        "outcomes/listing.html",
        form=form,
        outcomes=listed,
        totals=totals,
        number=sum(total.number for total in totals.values()),
        kinds=TITLES,
        kind=chosen,
        first=url_for(".listing", kind=chosen) if after else None,
        next=url_for(".listing", kind=chosen, after=next_cursor) if next_cursor else None,
    )
