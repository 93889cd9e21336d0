"""Why the companies of a list have their status, in a few words."""

from collections.abc import Iterable
from datetime import datetime

from dashboard.access import Member
from dashboard.web.context import app_context
from models.companies.company_list import ListedCompany
from services.health.raised_reasons import raised_reasons

MOST_SHOWN = 2
"""Raised flags of a company that a list shows; it counts the others."""


def reasons_of(
    member: Member, companies: Iterable[ListedCompany], at: datetime
) -> dict[str, dict[str, str]]:
    """Return the reasons of the flags that a list shows, by company and flag."""
    return raised_reasons(
        member.organization.id,
        {c.id: [raised["flag"] for raised in c.raised[:MOST_SHOWN]] for c in companies},
        member.organization.rules_version,
        at,
        app_context().rulebooks,
    )
