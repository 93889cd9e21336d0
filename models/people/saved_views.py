"""Filters of the list of companies that people keep under a name, for themselves or shared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from peewee import IntegrityError

from models.database import database, execute, query
from models.errors import ModelError

MAX_VIEWS = 100
"""Views that an organization shares, and that a person keeps in one besides."""


class NameTaken(ModelError):
    """Raised when there is a view of that name already, in any case of its letters."""


class TooManyViews(ModelError):
    """Raised when there are as many views as may be."""


@dataclass(frozen=True)
class SavedView:
    """One view; `query` is what stands in the address of the list, `person_id` who made it."""

    id: int
    person_id: int
    name: str
    query: str
    shared: bool


_COLUMNS = "id, person_id, name, query, shared"


def list_visible_to(organization_id: int, person_id: int) -> list[SavedView]:
    """What a person sees in an organization: their own and what is shared, by name."""
    rows = query(
        f"select {_COLUMNS} from saved_views where organization_id = %(organization_id)s"
        " and (shared or person_id = %(person_id)s) order by lower(name), id",
        {"organization_id": organization_id, "person_id": person_id},
    )
    return [SavedView(**row) for row in rows]


def find(organization_id: int, person_id: int, view_id: int) -> SavedView | None:
    """One of the views that a person sees."""
    views = list_visible_to(organization_id, person_id)
    return next((view for view in views if view.id == view_id), None)


def add(
    organization_id: int, person_id: int, name: str, query_string: str, *, shared: bool
) -> SavedView:
    """Keep a view.

    Raises:
        NameTaken: the person, or the organization where it is shared, has one of that name.
        TooManyViews: no more are kept.
    """
    mine = list_visible_to(organization_id, person_id)
    if sum(view.shared == shared for view in mine) >= MAX_VIEWS:
        raise TooManyViews(f"there are {MAX_VIEWS} already")
    with _named(name):
        rows = query(
            "insert into saved_views (organization_id, person_id, name, query, shared) values"
            " (%(organization_id)s, %(person_id)s, %(name)s, %(query)s, %(shared)s)"
            f" returning {_COLUMNS}",
            {
                "organization_id": organization_id,
                "person_id": person_id,
                "name": name,
                "query": query_string,
                "shared": shared,
            },
        )
    return SavedView(**rows[0])


def rename(organization_id: int, view_id: int, name: str) -> None:
    """Give a view another name.

    Raises:
        NameTaken: there is one of that name beside it.
    """
    with _named(name):
        execute(
            "update saved_views set name = %(name)s"
            " where organization_id = %(organization_id)s and id = %(id)s",
            {"organization_id": organization_id, "id": view_id, "name": name},
        )


def delete(organization_id: int, view_id: int) -> None:
    """Forget a view."""
    execute(
        "delete from saved_views where organization_id = %(organization_id)s and id = %(id)s",
        {"organization_id": organization_id, "id": view_id},
    )


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        with database.atomic():
            yield
    except IntegrityError:
        raise NameTaken(name) from None
