"""The overview of a company: its health over time, its flags, recent activity, and notes."""

from typing import Any

from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.explanations import overrides_of, rule_address
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.pages.company.notes import NoteForm, may_delete, may_edit
from dashboard.pages.company.overview.content import LATEST, read_overview
from dashboard.pages.company.timeline import event_names
from dashboard.pages.worklist.frame import rows_of_company
from dashboard.web.context import now
from models.companies import timeline
from models.database import read_one_snapshot, transaction
from models.outcomes import outcomes

SHORT: dict[str, Any] = {"most_open": 1, "most_others": 12, "most_advice": 3, "most_steps": 3}
"""How many raised flags are open at first, other flags listed, and notes and changes of flags shown
before the rest is folded away: a page with 40 flags stays short."""

NEWEST_OUTCOMES = 3


@blueprint.get("")
@viewer
def page(member: Member, company_id: str) -> ResponseReturnValue:
    """Show a company at a glance."""
    at = now()
    with transaction():
        read_one_snapshot()
        company = find_company(member, company_id)
        values = read_overview(member, company, at)
        overrides = overrides_of(company, at)
        items = rows_of_company(member, company.id)
        entries, _ = timeline.read_page(company.organization_id, company.id, limit=LATEST)
        became = outcomes.list_for_company(
            company.organization_id, company.id, limit=NEWEST_OUTCOMES
        )
    return show(
        "company/page.html",
        company,
        **(items | values),
        rule_address=rule_address,
        overrides=overrides,
        entries=entries,
        outcomes=became,
        names=event_names(),
        form=NoteForm(),
        may_edit=may_edit,
        may_delete=may_delete,
        next=None,
        **SHORT,
    )
