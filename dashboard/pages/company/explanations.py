"""The current health of a company with its reasons: flags, their explanations and overrides."""

from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from dashboard.access import Member
from dashboard.pages.company.frame import CurrentHealth, book_in_force
from dashboard.web.context import app_context
from models.companies.companies import Company
from models.health import flag_overrides
from models.health.flag_overrides import StoredOverride
from services.health.explanation import Explanation, FlagExplanation, explain


@dataclass(frozen=True)
class Overrides:
    """The snoozes and overrides of a company: those in force by flag, and the past ones."""

    in_force: dict[str, StoredOverride]
    past: list[StoredOverride]


def explain_company(member: Member, company: Company, at: datetime) -> Explanation | None:
    """Explain the health of a company, as `brazebee explain` does.

    Raises:
        RulesUnreadable: the current rules cannot be read.
    """
    organization = member.organization
    return explain(
        organization.id,
        company.external_id,
        organization.rules_version,
        at,
        app_context().rulebooks,
    )


def current_health(company: Company, explanation: Explanation | None) -> CurrentHealth:
    """Return the health as evaluated now where that is possible, else as recorded."""
    recorded = CurrentHealth.recorded(company)
    if explanation is None:
        return recorded
    return CurrentHealth(explanation.status, explanation.score, recorded.since)


def flags_worst_first(explanation: Explanation | None) -> list[FlagExplanation]:
    """Return the flags by status, worst first; flags of the same status as the rules have them."""
    book = book_in_force()
    if explanation is None or book is None:
        return []

    def badness(flag: FlagExplanation) -> int:
        return -(book.level_of(flag.status) or 0)

    return sorted(explanation.flags, key=badness)


def rule_address(line: int) -> str:
    """Return the URL of a line of the rules."""
    return url_for("rules.page", line=line)


def overrides_of(company: Company, at: datetime) -> Overrides:
    """Return all snoozes and overrides that a company ever had, newest first."""
    listed = flag_overrides.list_for_organization(
        company.organization_id, company_id=company.id, ended=True
    )
    stored = [row.override for row in listed]
    in_force = {
        override.flag: override
        for override in stored
        # The clock records an end a moment after it came.
        if override.ended_at is None and (override.ends_at is None or override.ends_at > at)
    }
    past = [override for override in stored if in_force.get(override.flag) is not override]
    return Overrides(in_force, past)
