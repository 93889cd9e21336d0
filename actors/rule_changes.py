"""Puts a rule file in force for an organization."""

from dataclasses import dataclass
from datetime import datetime

from models import event_settings, organizations, rule_versions
from rules.book import RuleBook
from rules.reading import read_rules


@dataclass(frozen=True)
class Applied:
    """The book in force, its version, and whether it is a new one."""

    book: RuleBook
    version: int
    changed: bool


def apply_rules(
    organization_id: int,
    source: str,
    *,
    file: str,
    applied_by: str,
    now: datetime,
    brought_back: int | None = None,
) -> Applied:
    """Put the text of a rule file in force from `now` on, within the transaction at hand.

    The same text again changes nothing. The clock sees the new version and has every company
    judged by it. `brought_back` is the version whose text it is, where it is a rollback.

    Raises:
        RuleFileError: the text has faults; what was in force stays.
    """
    book = read_rules(source, file=file)
    current = organizations.lock_rules_version(organization_id)
    in_force = rule_versions.find(organization_id, current)
    if in_force is not None and in_force.source == source:
        return Applied(book, current, changed=False)
    event_settings.replace_all(organization_id, book.events.values())
    version = rule_versions.add(
        organization_id,
        source,
        applied_by=applied_by,
        applied_at=now,
        brought_back=brought_back,
    )
    return Applied(book, version, changed=True)
