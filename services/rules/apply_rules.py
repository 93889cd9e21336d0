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
from rules.file.rule_file import check_rules, read_rules
from services.errors import ServiceError
from services.notifications.rule_text import (
    KeptText,
    KeptUrl,
    UrlKeeper,
    keep_urls,
    unknown_names,
)


@dataclass
class RulesChanged(ServiceError):
    """Raised when another version came into force after an edit was started."""

    in_force: int


@dataclass(frozen=True)
class Origin:
    """Where a text comes from.

    `based_on` is the version that was edited, 0 before any, which must still be in force; None
    skips this check. `brought_back` is the version that a rollback repeats. `keeper` stores the
    URLs of destinations in the text, which are no part of a version.
    """

    based_on: int | None = None
    brought_back: int | None = None
    in_dashboard: bool = False
    keeper: UrlKeeper | None = None


NO_ORIGIN = Origin()
"""The origin of a text about which nothing else is known."""


@dataclass(frozen=True)
class AppliedRules:
    """The book in force, its version, and whether the version is new.

    `kept_urls` are URLs in the text that the names of destinations replaced.
    """

    book: RuleBook
    version: int
    changed: bool
    kept_urls: tuple[KeptUrl, ...] = ()


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
    kept = KeptText(source)
    if book.notify:
        kept = keep_urls(organization_id, source, book, origin.keeper, now)
        source = kept.text
        book = read_rules(source, file=file)
    in_force = rule_versions.find(organization_id, current)
    if book.notify and origin.brought_back is None:  # a rollback is never refused
        former = check_rules(in_force.source).book if in_force else None
        if unknown := unknown_names(organization_id, book, former):
            raise RuleFileError(unknown, file=file)
    if in_force is not None and in_force.source == source:
        return AppliedRules(book, current, changed=False, kept_urls=kept.kept)
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
    return AppliedRules(book, version, changed=True, kept_urls=kept.kept)


def _value_field(in_force: RuleVersion | None) -> Path | None:
    """Return the field of companies' values by a version; None as well if it cannot be read."""
    try:
        return read_rules(in_force.source).team.value if in_force else None
    except RuleFileError:
        return None
