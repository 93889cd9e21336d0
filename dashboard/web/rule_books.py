"""The rules in force, as pages read them: each version is read once per process."""

from dashboard.web.context import parts
from models.organizations.organizations import Organization
from rules.book import RuleBook


def rules_in_force(organization: Organization) -> RuleBook | None:
    """Those of an organization, within the transaction at hand; None where they are unreadable."""
    return parts().rulebooks.book_if_readable(organization.id, organization.rules_version)
