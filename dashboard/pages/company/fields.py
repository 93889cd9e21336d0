"""What is known of a company: its fields, since when each says what it says, and their history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.web.request_values import place
from models.companies import field_history
from models.companies.companies import Company
from models.database import read_one_snapshot, transaction

PAGE = 50


@dataclass(frozen=True)
class Field:
    """A field as it stands; `said_at` is when an event last carried it."""

    name: str
    value: Any
    since: datetime | None
    said_at: datetime | None


@blueprint.get("/fields")
@viewer
def fields(member: Member, company: str) -> ResponseReturnValue:
    """The fields of a company, and the history of all of them or of one."""
    field = request.args.get("field") or None
    with transaction():
        read_one_snapshot()
        found = find_company(member, company)
        since = field_history.held_since(found.id)
        changes, following = (
            ([], None)
            if field is not None and "\0" in field
            else field_history.page(found.id, field=field, after=place(), limit=PAGE)
        )
    return show(
        "company/fields.html",
        found,
        rows="company/fields_rows.html",
        fields=fields_of(found, since),
        field=field,
        changes=changes,
        next=url_for(".fields", field=field, after=following) if following else None,
        first=url_for(".fields", field=field) if place() else None,
    )


def fields_of(company: Company, since: Mapping[str, datetime]) -> list[Field]:
    """The fields that were ever said, those that all companies have first."""
    traits = company.traits
    core = {name: value for name, value in traits.core.items() if name in traits.fields_at}
    custom = dict(sorted(traits.custom.items()))
    return [
        Field(name, value, since.get(name), traits.said_at(name))
        for name, value in {**core, **custom}.items()
    ]
