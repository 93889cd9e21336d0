"""The pages that the layout links to. Only those that exist, and that the person may open."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from flask import current_app, g, request, url_for

from dashboard.access.members import Member
from services.accounts.roles import Role


@dataclass(frozen=True)
class Entry:
    """A page to link to. `key` goes there after `g`; `blueprints` are at home under it too."""

    title: str
    endpoint: str
    key: str = ""
    role: Role = Role.VIEWER
    blueprints: tuple[str, ...] = ()


PAGES = (
    Entry("Today", "today.page", "t"),
    Entry("Companies", "companies.page", "c", blueprints=("company", "saved_views")),
    Entry("Insights", "insights.page", "i"),
    Entry("Rules", "rules.page", "r"),
    Entry("Events", "events.page", "e"),
)
SETTINGS = (
    Entry("API keys", "developers.page"),
    Entry("Webhooks", "developers.webhooks"),
    Entry("Deliveries", "developers.deliveries"),
    Entry("People", "people.page", role=Role.ADMINISTRATOR),
    Entry("Audit log", "audit_log.page", role=Role.ADMINISTRATOR),
)


@dataclass(frozen=True)
class Link:
    """An entry as a page shows it."""

    title: str
    address: str
    key: str
    current: bool


def main_links() -> list[Link]:
    """The navigation of the organization at hand, `Settings` the last."""
    links = _links(PAGES)
    settings = settings_links()
    if settings:
        current = any(link.current for link in settings)
        links.append(Link("Settings", settings[0].address, "s", current))
    return links


def settings_links() -> list[Link]:
    """The pages below Settings. One blueprint has several, so their addresses say which is open."""
    links = _links(SETTINGS)
    above = [link.address for link in links if link.current and _is_below(link.address)]
    nearest = max(above, key=len, default="")
    return [replace(link, current=link.address == nearest) for link in links]


def _is_below(address: str) -> bool:
    """Whether the page at hand is the one at an address of ours, or one below it."""
    return f"{request.path}/".startswith(f"{unquote(address)}/")


def _links(entries: Sequence[Entry]) -> list[Link]:
    member: Member | None = g.get("member")
    if member is None:
        return []
    return [
        Link(
            entry.title,
            url_for(entry.endpoint),
            entry.key,
            request.blueprint in (entry.endpoint.split(".")[0], *entry.blueprints),
        )
        for entry in entries
        if entry.endpoint in current_app.view_functions and member.may(entry.role)
    ]
