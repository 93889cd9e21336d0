"""The fields of a company: their values, since when each has its value, and their history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.filters.names import plain
from dashboard.pages.company.frame import as_text, blueprint, find_company, show
from dashboard.web.request_values import page_cursor
from models.companies.companies import CORE_FIELDS, Company
from models.companies.fields import field_history
from models.companies.fields.field_limits import MOST_FIELDS
from models.database import read_one_snapshot, transaction

PAGE = 50

MOST_SHOWN = MOST_FIELDS + len(CORE_FIELDS)
"""Companies from before there was a limit may have more."""


SEARCHABLE = 20
"""A company with more fields gets a search among them."""


@dataclass(frozen=True)
class CurrentField:
    """A field with its current value; `received_at` is when an event last carried it."""

    name: str
    value: Any
    since: datetime | None
    received_at: datetime | None


@blueprint.get("/fields")
@viewer
def fields(member: Member, company_id: str) -> ResponseReturnValue:
    """Show the fields of a company, and the history of all or a single one."""
    field = request.args.get("field") or None
    with transaction():
        read_one_snapshot()
        company = find_company(member, company_id)
        since = field_history.find_last_changes(company.organization_id, company.id)
        changes, next_cursor = (
            ([], None)
            if field is not None and "\0" in field
            else field_history.read_page(
                company.organization_id, company.id, field=field, after=page_cursor(), limit=PAGE
            )
        )
    text = request.args.get("q", "").strip()
    every_field = fields_of(company, since)
    all_fields = [current for current in every_field if _matches(current, text)]
    shown = all_fields[:MOST_SHOWN]
    return show(
        "company/fields.html",
        company,
        rows="company/fields_rows.html",
        fields=shown,
        text=text,
        searchable=len(every_field) > SEARCHABLE,
        more_fields=len(all_fields) - len(shown),
        field=field,
        changes=changes,
        next=url_for(".fields", field=field, after=next_cursor) if next_cursor else None,
        first=url_for(".fields", field=field) if page_cursor() else None,
    )


def _matches(current: CurrentField, text: str) -> bool:
    """Whether the name or the value of a field contains a text, regardless of case and accents."""
    wanted = plain(text)
    return wanted in plain(current.name) or wanted in plain(as_text(current.value))


def fields_of(company: Company, since: Mapping[str, datetime]) -> list[CurrentField]:
    """Return the fields that were ever sent, those that every company can have first."""
    traits = company.traits
    core = {name: value for name, value in traits.core.items() if name in traits.fields_at}
    custom = dict(sorted(traits.custom.items()))
    return [
        CurrentField(name, value, since.get(name), traits.sent_at(name))
        for name, value in {**core, **custom}.items()
    ]
