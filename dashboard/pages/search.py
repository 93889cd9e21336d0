"""The search in the header: companies, users, event keys, and pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.presentation import navigation
from dashboard.presentation.wording import visible_or
from dashboard.web.addresses import company_address
from dashboard.web.context import rules_in_force
from models.database import transaction
from models.users import found
from rules.book import RuleBook

blueprint = Blueprint("search", __name__, url_prefix="/o/<name:organization>/search")

LONGEST = 200
"""Characters of a text that is searched for."""

MANY = 50
"""Of each kind on the page with all results."""


@dataclass(frozen=True)
class Result:
    """A page that a search finds: its title, what tells it from others, and its status if any."""

    title: str
    about: str
    address: str
    status: str | None = None


@dataclass(frozen=True)
class Group:
    """The results of one kind."""

    title: str
    results: Sequence[Result]


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show what a text finds; for htmx a few of each kind, as somebody types."""
    text = request.args.get("q", "").strip()[:LONGEST]
    few = "HX-Request" in request.headers
    with transaction():
        book = rules_in_force(member.organization)
        groups = _find(member, text, book, found.FEW if few else MANY) if text else []
    return render_template(
        "search/results.html" if few else "search/page.html",
        text=text,
        groups=groups,
        statuses=book.statuses if book else (),
    )


def _find(member: Member, text: str, book: RuleBook | None, limit: int) -> list[Group]:
    organization_id = member.organization.id
    groups = (
        Group("Companies", list(_companies(organization_id, text, limit))),
        Group("Users", list(_users(organization_id, text, limit))),
        Group("Event keys", list(_event_keys(book, text))[:limit]),
        Group("Pages", list(_pages(text))),
    )
    return [group for group in groups if group.results]


def _companies(organization_id: int, text: str, limit: int) -> Iterator[Result]:
    for company in found.find_companies(organization_id, text, limit=limit):
        yield Result(
            visible_or(company.name, company.id),
            company.id,
            company_address(company.id),
            company.health_status,
        )


def _users(organization_id: int, text: str, limit: int) -> Iterator[Result]:
    for user in found.find_users(organization_id, text, limit=limit):
        yield Result(
            visible_or(user.name or user.email, user.id),
            " · ".join(filter(None, (user.email, user.company_name))),
            url_for("users.page", user_id=user.id),
        )


def _event_keys(book: RuleBook | None, text: str) -> Iterator[Result]:
    sought = text.casefold()
    for event in book.events.values() if book else ():
        if sought in event.key.casefold() or sought in event.name.casefold():
            address = url_for("insights.event", event_key=event.key)
            yield Result(visible_or(event.name, event.key), event.key, address)


def _pages(text: str) -> Iterator[Result]:
    sought = text.casefold()
    links = (navigation.main_links, navigation.event_links, navigation.settings_links)
    seen = set()
    for link in (link for listed in links for link in listed()):
        if sought in link.title.casefold() and link.title not in seen:
            seen.add(link.title)
            yield Result(link.title, "", link.address)
