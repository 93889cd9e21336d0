"""What a draft of rules would change, as the values that a page shows."""

from typing import Any

from dashboard.access import Member
from dashboard.pages.rules.frame import Draft, version_in_force
from dashboard.pages.rules.plan_groups import group_plan
from dashboard.pages.rules.trials import Deadline, plan_within
from dashboard.presentation.differences import compare_texts
from dashboard.web.context import app_context, now
from models.database import transaction
from rules.book import RuleBook
from rules.faults import hide_urls
from rules.file.rule_file import check_rules
from services.notifications.past_messages import count_past_messages, sends_otherwise


def plan_values(member: Member, draft: Draft, book: RuleBook) -> dict[str, Any]:
    """Plan a draft without faults, and return the values of the template `rules/outcome.html`."""
    organization = member.organization
    rulebooks = app_context().rulebooks
    planned = plan_within(Deadline(), organization, book, now(), rulebooks)
    with transaction():
        groups = group_plan(organization.id, planned, book)
        former = rulebooks.book_if_readable(organization.id, organization.rules_version)
        messages = None
        if sends_otherwise(book, former):
            messages = count_past_messages(organization.id, book, now())
    version = version_in_force(member)
    return {
        "checked": check_rules(draft.text),
        "plan": planned,
        "planned": draft,
        "groups": groups,
        "messages": messages,
        "statuses": book.statuses,
        "same": version is not None and version.source == draft.text,
        "changes": compare_texts(version.source if version else "", hide_urls(draft.text)),
    }
