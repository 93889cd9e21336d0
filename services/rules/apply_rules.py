"""Puts a rule file in force for an organization."""

from dataclasses import dataclass
from datetime import datetime

from models.keys import event_keys
from models.organizations import organizations, rule_versions
from models.organizations.rule_versions import RuleVersion
from models.portfolio import stale_companies
from rules.book import RuleBook
from rules.facts import Path
from rules.faults import RuleFileError
from rules.file.rule_file import read_rules
from services.errors import ServiceError


@dataclass
class RulesChanged(ServiceError):
    """Raised when another version came into force after an edit was started."""

    in_force: int


@dataclass(frozen=True)
class Origin:
    """Where a text comes from.

    `based_on` is the version that was edited, 0 before any, which must still be in force; None
    skips this check. `brought_back` is the version that a rollback repeats.
    """

    based_on: int | None = None
    brought_back: int | None = None
    in_dashboard: bool = False


NO_ORIGIN = Origin()
"""The origin of a text about which nothing else is known."""


@dataclass(frozen=True)
class AppliedRules:
    """The book in force, its version, and whether the version is new."""

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
    origin: Origin = NO_ORIGIN,
) -> AppliedRules:
    """Put the text of a rule file in force from `now` on.

    Applying the text in force again changes nothing. The clock notices a new version and has every
    company evaluated by it.

    Raises:
        RuleFileError: the text has faults; the rules in force stay.
        RulesChanged: the text is not based on the version in force, which stays.
    """
    book = read_rules(source, file=file)
    current = organizations.lock_rules_version(organization_id)
    if origin.based_on not in (None, current):
        raise RulesChanged(current)
    in_force = rule_versions.find(organization_id, current)
    if in_force is not None and in_force.source == source:
        return AppliedRules(book, current, changed=False)
    if _value_field(in_force) != book.team.value:
        stale_companies.count_all(organization_id)
    event_keys.replace_all(organization_id, book.events.values())
    version = rule_versions.add(
        organization_id,
        source,
        applied_by=applied_by,
        applied_at=now,
        brought_back=origin.brought_back,
        in_dashboard=origin.in_dashboard,
    )
    return AppliedRules(book, version, changed=True)


def _value_field(in_force: RuleVersion | None) -> Path | None:
    """Return the field of companies' values by a version; None as well if it cannot be read."""
    try:
        return read_rules(in_force.source).team.value if in_force else None
    except RuleFileError:
        return None
