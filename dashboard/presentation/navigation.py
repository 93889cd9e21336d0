"""The navigation of the layout: links to the pages that the member may open."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from flask import current_app, g, request, url_for

from dashboard.access.permissions import Member
from services.accounts.roles import Role


@dataclass(frozen=True)
class Entry:
    """A page to link to; `g` and `key` open it. It is current for pages of `blueprints`, too."""

    title: str
    endpoint: str
    key: str = ""
    role: Role = Role.VIEWER
    blueprints: tuple[str, ...] = ()


PAGES = (
    Entry("Today", "today.page", "t", blueprints=("changes", "upcoming", "portfolio")),
    Entry(
        "Companies",
        "companies.page",
        "c",
        blueprints=("company", "users", "saved_views", "import_companies"),
    ),
    Entry("Worklist", "worklist.page", "w"),
    Entry("Insights", "insights.page", "i", blueprints=("outcomes",)),
    Entry("Rules", "rules.page", "r"),
    Entry("Events", "events.page", "e", blueprints=("live", "refused", "set_aside", "trace")),
)
MENTIONS = Entry("Mentions", "mentions.page", "m")
TODAY = (
    Entry("Today", "today.page"),
    Entry("Changes", "changes.page"),
    Entry("Upcoming", "upcoming.page"),
    Entry("Portfolio", "portfolio.page"),
)
INSIGHTS = (
    Entry("Event usage", "insights.page"),
    Entry("Warnings", "outcomes.page"),
    Entry("Outcomes", "outcomes.listing"),
)
EVENTS = (
    Entry("Event keys", "events.page"),
    Entry("Live", "live.page"),
    Entry("Refused", "refused.page"),
    Entry("Set aside", "set_aside.page"),
    Entry("Trace", "trace.page"),
)
SETTINGS = (
    Entry("API keys", "developers.page"),
    Entry("Connect", "developers.connect"),
    Entry("Webhooks", "developers.webhooks"),
    Entry("Deliveries", "developers.deliveries"),
    Entry("Notifications", "notifications.page", blueprints=("destination",)),
    Entry("People", "people.page", role=Role.ADMINISTRATOR, blueprints=("owners",)),
    Entry("Audit log", "audit_log.page", role=Role.ADMINISTRATOR),
)


@dataclass(frozen=True)
class Link:
    """An entry with its URL on the current page."""

    title: str
    address: str
    key: str
    current: bool


def keys_to_pages() -> list[tuple[str, str]]:
    """Return the keys that open pages of an organization after `g`, with the titles."""
    return [
        *((entry.key, entry.title) for entry in PAGES),
        ("s", "Settings"),
        (MENTIONS.key, MENTIONS.title),
    ]


def main_links() -> list[Link]:
    """Return the navigation of the current organization, `Settings` last."""
    links = _links(PAGES)
    settings = settings_links()
    if settings:
        current = any(_is_current(entry) for entry in SETTINGS)
        links.append(Link("Settings", settings[0].address, "s", current))
    return links


def mentions_link() -> list[Link]:
    """Return the page of the notes that mention the member."""
    return _links([MENTIONS])


def settings_links() -> list[Link]:
    """Return the pages of Settings."""
    return _with_one_current(_links(SETTINGS))


def insight_links() -> list[Link]:
    """Return the pages of Insights."""
    return _with_one_current(_links(INSIGHTS))


def _with_one_current(links: list[Link]) -> list[Link]:
    """Let the URL decide which link is current, for pages that share a blueprint."""
    open_addresses = [link.address for link in links if link.current and _is_open(link.address)]
    if not open_addresses:
        return links
    longest = max(open_addresses, key=len)
    return [replace(link, current=link.address == longest) for link in links]


def today_links() -> list[Link]:
    """Return Today and the pages beside it."""
    return _links(TODAY)


def event_links() -> list[Link]:
    """Return the pages about events."""
    return _links(EVENTS)


def _is_open(address: str) -> bool:
    """Whether the current page is the one at this URL, or one below it."""
    return f"{request.path}/".startswith(f"{unquote(address)}/")


def _is_current(entry: Entry) -> bool:
    return request.blueprint in (entry.endpoint.split(".")[0], *entry.blueprints)


def _links(entries: Sequence[Entry]) -> list[Link]:
    member: Member | None = g.get("member")
    if member is None:
        return []
    return [
        Link(
            entry.title,
            url_for(entry.endpoint),
            entry.key,
            _is_current(entry),
        )
        for entry in entries
        if entry.endpoint in current_app.view_functions and member.may(entry.role)
    ]
