"""Every page of the dashboard in each of its states, with how to get there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flask import Flask
from playwright.sync_api import Page
from werkzeug.routing import Map

from dashboard.app import PAGES
from dashboard.web.addresses import configure_addresses
from tests.support.browser.awkward.texts import COMPANY_ROWS, OUTCOME_ROWS

NOT_PAGES = {
    "static",
    "start.page",  # redirects
    "companies.export",
    "companies.offer_values",
    "developers.attempts",
    "import_companies.refused",
    "live.newest",
    "mentions.people",
    "notifications.test_result",
    "outcomes.refused_rows",
    "rules.complete",
    "worklist.export",
}
"""Endpoints that answer GET with a file, data, or a part of a page."""


@dataclass(frozen=True)
class State:
    """A page: its endpoint, what its address names, what is done on it, and where that begins."""

    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[Page], object] = lambda _: None
    begins_at: str = ""


def endpoints() -> set[str]:
    """Return the endpoint of each page."""
    return {
        rule.endpoint for rule in _map().iter_rules() if "GET" in (rule.methods or ())
    } - NOT_PAGES


def address(state: State, values: Mapping[str, Any]) -> str:
    """Return the address of a page; `values` has what the parts of its path name."""
    endpoint = state.begins_at or state.endpoint
    parts = {name: values[name] for name in _parts_of_path(endpoint) if name in values}
    return _map().bind("").build(endpoint, {**parts, **state.values}, method="GET")


def _parts_of_path(endpoint: str) -> set[str]:
    rules = [rule for rule in _map().iter_rules(endpoint) if "GET" in (rule.methods or ())]
    return rules[0].arguments


@cache
def _map() -> Map:
    app = Flask("pages")
    configure_addresses(app)
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    return app.url_map


def click(selector: str) -> Callable[[Page], None]:
    """Return a preparation that presses the first matching element, and waits for what follows."""

    def press(page: Page) -> None:
        page.locator(selector).first.click()
        page.wait_for_load_state("networkidle")

    return press


def upload(rows: str) -> Callable[[Page], None]:
    """Return a preparation that uploads a CSV file with these lines."""

    def submit(page: Page) -> None:
        file = {
            "name": "עברית export of companies.csv",
            "mimeType": "text/csv",
            "buffer": rows.encode(),
        }
        page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
        page.get_by_role("button", name="Show what it would change").click()
        page.wait_for_load_state()

    return submit


def select_rows(page: Page) -> None:
    """Select two rows of a list, which shows the bar of actions."""
    page.locator("input[data-pick]").nth(0).click()
    page.locator("input[data-pick]").nth(1).click()


def show_all_actions(page: Page) -> None:
    """Select two rows, and show the actions that a phone hides at first."""
    select_rows(page)
    page.locator("[data-more-actions]").dispatch_event("click")


def open_item(page: Page) -> None:
    """Show the details of the first item of the worklist."""
    page.locator("[data-opens]").first.click()
    page.locator(".item-details").first.wait_for()


AS_THEY_OPEN = (
    "sign_in.page", "account.page",
    "today.page", "today.more_changes", "portfolio.page", "upcoming.page",
    "companies.page", "worklist.item", "worklist.response_times", "worklist.timed_items",
    "import_companies.page",
    "company.page", "company.deliveries", "company.fields", "company.flag", "company.note",
    "company.notes", "company.outcomes", "company.report", "company.timeline", "company.users",
    "users.page", "insights.page", "insights.event",
    "outcomes.page", "outcomes.listing", "outcomes.outcome", "outcomes.upload_form",
    "rules.page", "rules.backtests", "rules.backtest_job", "rules.examples", "rules.versions",
    "events.page", "live.page", "refused.page", "refused.entry", "refused.confirm_drop",
    "refused.confirm_drop_all", "set_aside.page", "set_aside.confirm_drop_all",
    "developers.page", "developers.connect", "developers.arrivals", "developers.scopes",
    "developers.ask_to_revoke", "developers.webhooks", "developers.endpoint",
    "developers.ask_to_remove", "developers.deliveries",
    "mentions.page", "notifications.page", "notifications.message", "destination.ask_for_url",
    "destination.ask_to_remove", "people.page", "owners.own",
    "owners.page", "audit_log.page",
)  # fmt: skip
"""Endpoints of pages without anything in their query, and nothing done on them."""

TEAM = {"whose": "team"}
TEXT = {"view": "text"}


def with_the_header() -> Iterator[State]:
    """Yield the pages that have the header and open in an organization without any records."""
    for endpoint in AS_THEY_OPEN:
        if endpoint != "sign_in.page" and _parts_of_path(endpoint) <= {"organization"}:
            yield State(endpoint)
    yield State("worklist.page", TEAM)
    yield State("rules.page", TEXT)


def states(values: Mapping[str, Any]) -> Iterator[State]:
    """Yield each page in its states; `values` are those of `add_records`."""
    yield from map(State, AS_THEY_OPEN)
    yield from _of_customers()
    yield from _of_rules()
    for door in ("sdk", "export", "code"):
        yield State("developers.door", {"door": door})
    yield State("developers.delivery", {"id": values["delivery_id"]})
    for endpoint in ("set_aside.entry", "set_aside.confirm_drop"):
        yield State(endpoint, {"id": values["rejected_id"]})
    yield State("trace.page", {"id": values["event_id"]})


def _of_customers() -> Iterator[State]:
    yield State("today.page", prepare=click(".menu.account summary"))
    yield State("today.page", {"owner": "me"})
    for span in ("seen", "30"):
        yield State("changes.page", {"span": span})
    yield State("upcoming.page", {"days": "30", "direction": "worse"})
    yield State("companies.page", {"q": "nothing of this name"})
    for prepare in (
        select_rows,
        click(".filter-panel summary"),
        click(".panel:last-of-type summary"),
    ):
        yield State("companies.page", prepare=prepare)
    for whose in ("mine", "team", "unassigned"):
        yield State("worklist.page", {"whose": whose})
    for shown in ("done", "snoozed", "closed", "all"):
        yield State("worklist.page", {"whose": "team", "state": shown})
    for prepare in (select_rows, show_all_actions, open_item):
        yield State("worklist.page", TEAM, prepare)
    yield State("search.page", {"q": "Plain"})
    yield State("company.page", {"company_id": "zero-width"})
    yield State("company.notes", {"company_id": "html"})
    for kind in ("lost", "warned", "missed", "false-alarms"):
        yield State("outcomes.behind", {"kind": kind})
    yield State("import_companies.preview", {}, upload(COMPANY_ROWS), "import_companies.page")
    yield State("outcomes.preview", {}, upload(OUTCOME_ROWS), "outcomes.upload_form")


def _of_rules() -> Iterator[State]:
    yield State("rules.page", TEXT)
    for button in ("Plan changes", "Backtest"):
        yield State("rules.page", TEXT, click(f"main button:text-is('{button}')"))
    for button in ("Add a flag", "Edit"):
        yield State("rules.page", {}, click(f"main button:text-is('{button}')"))
    yield State("rules.example", {"example_name": "usage-drop"})
    yield State("rules.version", {"number": 2})
