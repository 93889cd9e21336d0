"""Saved views: named filters of the list of companies or of the worklist, private or shared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from peewee import IntegrityError, fn

from models.database import database
from models.errors import ModelError
from models.people.tables import SavedViewRow
from models.table import fetch

MAX_VIEWS = 100
"""Shared views of a list in an organization, and private views of one person of it."""


class ViewedList(StrEnum):
    """A list that has views."""

    COMPANIES = "companies"
    WORKLIST = "worklist"


class NameTaken(ModelError):
    """Raised when another view has the name of a new one, regardless of case."""


class TooManyViews(ModelError):
    """Raised when the number of views has reached its limit."""


@dataclass(frozen=True)
class SavedView:
    """One view; `query` is the query string of the list's URL, `person_id` its author."""

    id: int
    person_id: int
    name: str
    query: str
    shared: bool
    listed: ViewedList


def list_visible_to(
    organization_id: int, person_id: int, listed: ViewedList = ViewedList.COMPANIES
) -> list[SavedView]:
    """Return the person's own views of a list in an organization and its shared ones, by name."""
    return [view for view in _visible_to(organization_id, person_id) if view.listed is listed]


def find(organization_id: int, person_id: int, view_id: int) -> SavedView | None:
    """Return one of the views that a person sees."""
    views = _visible_to(organization_id, person_id)
    return next((view for view in views if view.id == view_id), None)


def _visible_to(organization_id: int, person_id: int) -> list[SavedView]:
    row = SavedViewRow
    rows = (
        row.select(
            row.id,
            row.person.alias("person_id"),
            row.name,
            row.query,
            row.shared,
            row.list_name.alias("listed"),
        )
        .where(row.organization == organization_id, row.shared | (row.person == person_id))
        .order_by(fn.lower(row.name), row.id)
    )
    return [SavedView(**{**view, "listed": ViewedList(view["listed"])}) for view in fetch(rows)]


def add(
    organization_id: int,
    person_id: int,
    name: str,
    query_string: str,
    *,
    shared: bool,
    listed: ViewedList = ViewedList.COMPANIES,
) -> SavedView:
    """Save a view of a list.

    Raises:
        NameTaken: The person, or the organization if it is shared, has a view of this name.
        TooManyViews: The limit is reached.
    """
    visible = list_visible_to(organization_id, person_id, listed)
    if sum(view.shared == shared for view in visible) >= MAX_VIEWS:
        raise TooManyViews(f"there are {MAX_VIEWS} already")
    with _refusing_taken_name(name):
        insert = SavedViewRow.insert(
            organization=organization_id,
            person=person_id,
            name=name,
            query=query_string,
            shared=shared,
            list_name=listed,
        )
        [view] = insert.returning(SavedViewRow.id).execute()
    return SavedView(view.id, person_id, name, query_string, shared, listed)


def rename(organization_id: int, view_id: int, name: str) -> None:
    """Change the name of a view.

    Raises:
        NameTaken: There is another view of this name.
    """
    with _refusing_taken_name(name):
        SavedViewRow.update(name=name).where(
            SavedViewRow.organization == organization_id, SavedViewRow.id == view_id
        ).execute()


def delete(organization_id: int, view_id: int) -> None:
    """Delete a view."""
    SavedViewRow.delete().where(
        SavedViewRow.organization == organization_id, SavedViewRow.id == view_id
    ).execute()


@contextmanager
def _refusing_taken_name(name: str) -> Iterator[None]:
    try:
        with database.atomic():
            yield
    except IntegrityError:
        raise NameTaken(name) from None
