"""Checks drafts of rules: their text, and the destinations of notifications that they name."""

from collections.abc import Iterable
from dataclasses import replace

from dashboard.access import Member, Role
from dashboard.pages.rules.frame import Draft
from dashboard.web.context import app_context, rules_in_force
from models.database import transaction
from rules.faults import Fault, RuleFileError
from rules.file.rule_file import CheckedRules, check_rules
from services.accounts.audit import Maker
from services.notifications.rule_text import UrlKeeper, unknown_names


def check_draft(member: Member, draft: Draft) -> CheckedRules:
    """Return the result of checking a draft; a rollback may name destinations that are gone."""
    checked = check_rules(draft.text)
    if checked.book is None or not checked.book.notify or draft.brought_back:
        return checked
    with transaction():
        former = rules_in_force(member.organization)
        unknown = unknown_names(member.organization.id, checked.book, former)
    return with_faults(checked, unknown) if unknown else checked


def refused(member: Member, draft: Draft, error: RuleFileError) -> CheckedRules:
    """Return the result of checking a draft that was refused when it was applied."""
    checked = check_draft(member, draft)
    return checked if checked.faults else with_faults(checked, error.faults)


def with_faults(checked: CheckedRules, faults: Iterable[Fault]) -> CheckedRules:
    """Return a result with other faults."""
    return replace(checked, book=None, faults=tuple(faults))


def url_keeper(member: Member) -> UrlKeeper:
    """Return what keeps the URLs of a text; only administrators add destinations."""
    settings = app_context().settings
    return UrlKeeper(
        settings.secret_keys,
        settings.webhook_allow_nets,
        Maker.of(member.person),
        may_add=member.may(Role.ADMINISTRATOR),
    )
