"""The navigation of the layout: links to the pages that the member may open."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from flask import current_app, g, request, url_for

from dashboard.access.permissions import Member
from services.accounts.roles import Role


@dataclass(frozen=True)
class Entry:
    """A page to link to; `g` and `key` open it. It is current for pages of `blueprints`, too.

    Among entries that share a blueprint, it is current at its URL and below, and at those of the
    `pages` that belong to it without being below it.
    """

    title: str
    endpoint: str
    key: str = ""
    role: Role = Role.VIEWER
    blueprints: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()


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
    Entry("Outcomes", "outcomes.listing", pages=("outcomes.upload_form",)),
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
    return _links_by_url(SETTINGS)


def insight_links() -> list[Link]:
    """Return the pages of Insights."""
    return _links_by_url(INSIGHTS)


def today_links() -> list[Link]:
    """Return Today and the pages beside it."""
    return _links(TODAY)


def event_links() -> list[Link]:
    """Return the pages about events."""
    return _links(EVENTS)


def _links_by_url(entries: Sequence[Entry]) -> list[Link]:
    """Return links; the current one is that with the longest URL which the page has or is below.

    If there is none, as on the pages of another blueprint, the blueprint decides.
    """
    shown = _shown(entries)
    lengths = [_open_length(entry) for entry in shown]
    longest = max(lengths, default=0)
    return [
        _link(entry, current=length == longest if longest else _is_current(entry))
        for entry, length in zip(shown, lengths, strict=True)
    ]


def _open_length(entry: Entry) -> int:
    """Return the length of the entry's longest URL that the page has or is below; 0 for none."""
    if not _is_current(entry):
        return 0
    addresses = [url_for(endpoint) for endpoint in (entry.endpoint, *entry.pages)]
    return max((len(address) for address in addresses if _is_open(address)), default=0)


def _is_open(address: str) -> bool:
    """Whether the current page is the one at this URL, or one below it."""
    return f"{request.path}/".startswith(f"{unquote(address)}/")


def _is_current(entry: Entry) -> bool:
    return request.blueprint in (entry.endpoint.split(".")[0], *entry.blueprints)


def _shown(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that the member may open."""
    member: Member | None = g.get("member")
    if member is None:
        return []
    return [
        entry
        for entry in entries
        if entry.endpoint in current_app.view_functions and member.may(entry.role)
    ]


def _links(entries: Sequence[Entry]) -> list[Link]:
    return [_link(entry, current=_is_current(entry)) for entry in _shown(entries)]


def _link(entry: Entry, *, current: bool) -> Link:
    return Link(entry.title, url_for(entry.endpoint), entry.key, current)
