"""Puts a rule file in force for an organization."""

from dataclasses import dataclass
from datetime import datetime

from models.keys import event_keys
from models.organizations import organizations, rule_versions
from rules.book import RuleBook
from rules.file.rule_file import read_rules


@dataclass
class RulesChanged(Exception):
    """Raised when another version came into force since an edit was begun."""

    in_force: int


@dataclass(frozen=True)
class Origin:
    """What a text came of.

    `began_from` is the version that it is an edit of, 0 before any, where that must still be the
    one in force; `brought_back` the one that it repeats, where it is a rollback.
    """

    began_from: int | None = None
    brought_back: int | None = None
    in_dashboard: bool = False


TEXT_ALONE = Origin()
"""Nothing is known but the text."""


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
    origin: Origin = TEXT_ALONE,
) -> Applied:
    """Put the text of a rule file in force from `now` on, within the transaction at hand.

    The same text again changes nothing. The clock sees the new version and has every company
    judged by it.

    Raises:
        RuleFileError: the text has faults; what was in force stays.
        RulesChanged: the text began from another version than the one in force, which stays.
    """
    book = read_rules(source, file=file)
    current = organizations.lock_rules_version(organization_id)
    if origin.began_from not in (None, current):
        raise RulesChanged(current)
    in_force = rule_versions.find(organization_id, current)
    if in_force is not None and in_force.source == source:
        return Applied(book, current, changed=False)
    event_keys.replace_all(organization_id, book.events.values())
    version = rule_versions.add(
        organization_id,
        source,
        applied_by=applied_by,
        applied_at=now,
        brought_back=origin.brought_back,
        in_dashboard=origin.in_dashboard,
    )
    return Applied(book, version, changed=True)
