"""A report about one company on paper: to print, or to save as PDF."""

from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.pages.company.overview.content import read_overview
from dashboard.web.context import now
from models.database import read_one_snapshot, transaction


@blueprint.get("/report")
@viewer
def report(member: Member, company_id: str) -> ResponseReturnValue:
    """Show why a company has its status, its flags, its history, and the latest notes."""
    at = now()
    with transaction():
        read_one_snapshot()
        company = find_company(member, company_id)
        values = read_overview(member, company, at)
    return show("company/report.html", company, **values, at=at)
