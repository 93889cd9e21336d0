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
from models.search import Found, search

blueprint = Blueprint("search", __name__, url_prefix="/o/<name:organization>/search")

LONGEST = 200
"""Characters of a text that is searched for."""

FEW, MANY = 5, 50
"""Results of each kind as somebody types, and on the page with all of them."""


@dataclass(frozen=True)
class Result:
    """A page that a search finds: its title, what distinguishes it, and its status if any."""

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
        found = search(member.organization.id, text, limit=FEW if few else MANY)
        book = rules_in_force(member.organization)
    return render_template(
        "search/results.html" if few else "search/page.html",
        text=text,
        groups=_groups(found, text) if text else [],
        statuses=book.statuses if book else (),
    )


def _groups(found: Found, text: str) -> list[Group]:
    groups = (
        Group("Companies", list(_companies(found))),
        Group("Users", list(_users(found))),
        Group("Event keys", list(_event_keys(found))),
        Group("Pages", list(_pages(text))),
    )
    return [group for group in groups if group.results]


def _companies(found: Found) -> Iterator[Result]:
    for company in found.companies:
        yield Result(
            visible_or(company.name, company.id),
            company.id,
            company_address(company.id),
            company.health_status,
        )


def _users(found: Found) -> Iterator[Result]:
    for user in found.users:
        yield Result(
            visible_or(user.name or user.email, user.id),
            " · ".join(filter(None, (user.email, user.company_name))),
            url_for("users.page", user_id=user.id),
        )


def _event_keys(found: Found) -> Iterator[Result]:
    for event in found.event_keys:
        address = url_for("insights.event", event_key=event.event_key)
        yield Result(visible_or(event.name, event.event_key), event.event_key, address)


def _pages(text: str) -> Iterator[Result]:
    sought = text.casefold()
    links = (
        navigation.main_links,
        navigation.today_links,
        navigation.insight_links,
        navigation.event_links,
        navigation.mentions_link,
        navigation.settings_links,
    )
    seen = set()
    for link in (link for listed in links for link in listed()):
        if sought in link.title.casefold() and link.title not in seen:
            seen.add(link.title)
            yield Result(link.title, "", link.address)
