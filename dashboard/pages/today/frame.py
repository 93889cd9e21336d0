"""What the parts of Today share."""

from collections.abc import Collection, Sequence

from flask import Blueprint, request

from dashboard.access import Member
from dashboard.filters.field_filters import ME
from models.companies import company_list
from models.companies.company_list import ListedCompany
from models.companies.external_ids import find_row_ids
from rules.team import TeamFields
from services.health.recorded_steps import Step, explaining_steps

blueprint = Blueprint("today", __name__, url_prefix="/o/<name:organization>")

PAGE = 10
"""Rows of each list at first, and rows that each "More" link adds."""


def is_mine(team: TeamFields) -> bool:
    """Whether the page is about the reader's companies, as `owner=me` in its address asks for.

    It is not if the rules name no owner.
    """
    return bool(team.owner) and request.args.get("owner") == ME


def rows_or_page(name: str) -> str:
    """Return the template of more rows for htmx, or of a page of them without scripts."""
    prefix = "" if "HX-Request" in request.headers else "more_"
    return f"today/{prefix}{name}.html"


def find_teams(member: Member, ids: Collection[str]) -> dict[str, ListedCompany]:
    """Return companies, whose owner and value the rows show, by the clients' own ids."""
    organization_id = member.organization.id
    row_ids = find_row_ids("companies", organization_id, ids)
    listed = company_list.read(organization_id, [*row_ids.values()])
    return {company.id: company for company in listed}


def recorded_reasons(
    changes: Sequence[Step], before: str, after: str, statuses: Sequence[str]
) -> list[tuple[str, str]]:
    """Return why a recorded change happened: for each flag a few words, and its phrase as title."""
    return [
        (
            step.get("reason") or step["flag"],
            f"{step['flag']}: {step['from']} → {step['to']} ({step['threshold']})",
        )
        for step in explaining_steps(changes, before, after, statuses)
    ]
