"""What the pages of the worklist share: rows with all that they show, and who may be assigned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, request

from dashboard.access import Member
from dashboard.access.visitors import reader_zone
from dashboard.pages.worklist.query import WorklistQuery
from dashboard.web.addresses import page_of_list
from dashboard.web.context import app_context, now, rules_in_force
from models.health.work_items import item_list
from models.health.work_items.item_list import ListedItem
from rules.book import RuleBook
from services.health.raised_reasons import raised_reasons
from services.rules.rule_books import NO_RULES
from services.work_items.assignees import Assignees, Responsible
from services.work_items.states import State

blueprint = Blueprint("worklist", __name__, url_prefix="/o/<name:organization>")

CLOSED_BECAUSE = {
    "recovery": "closed by recovery",
    "not_applicable": "closed: the flag no longer applies",
    "rules": "closed by new rules",
    "flag_removed": "closed: the rules no longer have the flag",
    "override": "closed: no longer set by hand",
}


@dataclass(frozen=True)
class Row:
    """An item as the worklist shows it; `reason` is why its flag is raised, in a few words."""

    item: ListedItem
    reason: str
    responsible: Responsible | None
    is_late: bool


def today() -> date:
    """Return the reader's today."""
    return now().astimezone(reader_zone()).date()


def book_of(member: Member) -> RuleBook:
    """Return the rules in force; none if they cannot be read."""
    return rules_in_force(member.organization) or NO_RULES


def rows_of(
    member: Member, items: Sequence[ListedItem], assignees: Assignees, book: RuleBook
) -> list[Row]:
    """Return items with what rows show of them, in the current transaction."""
    organization = member.organization
    flags: dict[str, set[str]] = {}
    for item in items:
        if item.closed_at is None:
            flags.setdefault(item.company, set()).add(item.flag)
    rulebooks = app_context().rulebooks
    reasons = raised_reasons(organization.id, flags, organization.rules_version, now(), rulebooks)
    present = today()
    return [
        Row(
            item,
            reasons.get(item.company, {}).get(item.flag)
            or book.threshold(item.flag, book.level_of(item.status)),
            assignees.responsible_for(item),
            item.due_on is not None
            and item.due_on < present
            and item.closed_at is None
            and item.state != State.DONE,
        )
        for item in items
    ]


def count_to_do(member: Member) -> int:
    """Count the member's own items to do, at most one more than `MOST_COUNTED`."""
    organization_id = member.organization.id
    assignees = Assignees(organization_id)
    item_filter = WorklistQuery().filter(assignees, member.person.id, now(), today())
    return item_list.count(organization_id, item_filter)


def rows_of_company(member: Member, company_id: int) -> dict[str, Any]:
    """Return the items of a company that are not closed, and what their template needs.

    `worklist/of_company_item.html` shows the `row` of one flag; `item_rows` has them by flag.
    """
    book, assignees = book_of(member), Assignees(member.organization.id)
    items = item_list.list_for_company(member.organization.id, company_id)
    rows = rows_of(member, items, assignees, book)
    return {
        "item_rows": {row.item.flag: row for row in rows},
        "back": request.path,
        **shared_values(member, book, assignees),
    }


def shared_values(member: Member, book: RuleBook, assignees: Assignees) -> dict[str, Any]:
    """Return the variables of templates that show rows."""
    return {
        "statuses": book.statuses,
        "team": book.team,
        "states": list(State),
        "members": assignees.members,
        "may_change_items": member.may("editor"),
        "closed_because": CLOSED_BECAUSE,
        "address_of": address_of,
    }


def address_of(query: WorklistQuery, after: str | None = None, rows: int | None = None) -> str:
    """Return the URL of a list; `after` is the cursor of a page, and `rows` the size of pages."""
    return page_of_list("worklist.page", query.parameters.items(), after, rows)
