"""Composes a message of the changes that it is about at the moment."""

from models.notifications import message_log
from models.notifications.messages import Message
from models.organizations.organizations import Organization
from services.notifications.content import MOST_LINES, Content, Setting, compose
from services.rules.rule_books import RuleBooks


def compose_now(
    message: Message, organization: Organization, rulebooks: RuleBooks, zone: str
) -> tuple[Content, int]:
    """Return what an open message would say if it was closed now, and its number of changes."""
    book = rulebooks.book_if_readable(organization.id, organization.rules_version)
    statuses = book.statuses if book else ()
    counts = message_log.count_by_status(organization.id, message.id)
    listed = message_log.read_changes(organization.id, message.id, statuses, limit=MOST_LINES)
    content = compose(message, listed, counts, Setting(organization.name, statuses, zone))
    return content, sum(changes for changes, _ in counts.values())
