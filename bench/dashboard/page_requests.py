"""Every page of the dashboard and every list of the read API, as requests to measure."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from urllib.parse import urlencode

from bench.dashboard.visitor import Request, Visitor
from bench.load.traffic import EVENT_KEYS
from models.database import query, transaction
from models.organizations.organizations import Organization

_COLUMNS = ("name", "score", "since", "last-event", "owner", "value", "renewal")
SORTS = tuple(f"{sign}{column}" for column in _COLUMNS for sign in ("", "-"))
ITEM_SORTS = (
    "status",
    "value",
    "-value",
    "renewal",
    "-renewal",
    "due",
    "-due",
    "raised",
    "-raised",
)
COMPANY_TABS = (
    "report",
    "timeline",
    "users",
    "fields",
    "deliveries",
    "notes",
    "outcomes",
    "flags/Value",
)


def every_page(visitor: Visitor, organization: Organization) -> list[Request]:
    """Return all pages, fragments and API responses whose cost could grow with the stored data."""
    base = f"/o/{organization.name}"
    with transaction():
        companies, users, deliveries, endpoints = (
            cycle(_first_ids(table, column, organization.id))
            for table, column in (
                ("companies", "external_id"),
                ("users", "external_id"),
                ("deliveries", "id"),
                ("webhook_endpoints", "id"),
            )
        )
    return [
        *_today(base),
        *_upcoming(base),
        *_companies(visitor, base),
        *_company(base, companies),
        *_worklist(visitor, f"{base}/worklist"),
        _each("A user", base + "/users/{}", users),
        *_insights_and_rules(base),
        *_settings(f"{base}/settings", companies, deliveries, endpoints),
        *_api(companies),
    ]


def _page(name: str, address: str, **query: str) -> Request:
    return Request(name, cycle([f"{address}?{urlencode(query)}" if query else address]))


def _fragment(name: str, address: str, **query: str) -> Request:
    return replace(_page(name, address, **query), fragment=True)


def _each(name: str, address: str, values: Iterator[str]) -> Request:
    """Return a page whose address contains `{}` for a value, which differs with each request."""
    return Request(name, (address.format(value) for value in values))


def _today(base: str) -> list[Request]:
    return [
        _page("Today", f"{base}/"),
        _page("Today: mine", f"{base}/", owner="me"),
        _fragment("Today: recent", f"{base}/recent"),
        *(
            _page(f"Changes: {span}", f"{base}/changes", span=span)
            for span in ("seen", "friday", "30")
        ),
        _page("Portfolio", f"{base}/portfolio"),
    ]


def _upcoming(base: str) -> list[Request]:
    address = f"{base}/upcoming"
    return [
        _page("Upcoming", address),
        _page("Upcoming: 30 days", address, days="30"),
        _page("Upcoming: an owner and a value", address, owner="R7", value="1000"),
    ]


def _companies(visitor: Visitor, base: str) -> list[Request]:
    address = f"{base}/companies"
    later = visitor.later_page(address, 20)
    plan = {"field.plan": "team"}
    status = "Companies: a status"
    return [
        _page("Companies: worst first", address),
        _fragment("Companies: page 21", later),
        *(_page(f"Companies: sort {sort}", address, sort=sort) for sort in SORTS),
        _fragment("Companies: search, many", address, q="acme"),
        _fragment("Companies: search, one", address, q="any_4711"),
        _fragment("Companies: search, none", address, q="nobody at all"),
        _fragment("Companies: search, a letter", address, q="e"),
        _page(status, address, status="Critical"),
        _page(f"{status} by name", address, status="Healthy", sort="name"),
        _page(f"{status} by last event", address, status="Healthy", sort="-last-event"),
        _page("Companies: a flag", address, flag="Value", flag_status="At Risk"),
        _page("Companies: a flag, raised", address, flag="Value"),
        _page("Companies: a flag that all have", address, flag="Gone quiet", flag_status="Healthy"),
        _page("Companies: an owner", address, owner="R7"),
        _page("Companies: mine", address, owner="me"),
        _page("Companies: that did not leave", address, left="no"),
        _page("Companies: a field", address, **plan),
        _page("Companies: a field that is not", address, **{"not.field.plan": "team"}),
        _page("Companies: a field that contains", address, **{"contains.field.region": "r1"}),
        _page("Companies: a number above", address, **{"above.field.seats": "50"}),
        _page("Companies: renewals in 60 days", address, **{"next.renewal": "60"}),
        _page("Companies: a field that is empty", address, **{"field.nps": ""}),
        _page("Companies: sort by a field", address, sort="field.seats"),
        _fragment("Companies: values of a field", f"{base}/field-values", add_field="field.region"),
        _page("Companies: a user's email", address, q="u@example.com"),
        _page("Companies: a field and a search", address, q="hooli", **plan),
        _page("Companies: CSV, its beginning", f"{base}/companies.csv"),
        _page("Companies: CSV of a search", f"{base}/companies.csv", q="acme"),
        _page("Import", f"{base}/import"),
    ]


def _worklist(visitor: Visitor, address: str) -> list[Request]:
    by_due = f"{address}?whose=team&sort=due"
    return [
        _page("Worklist: mine", address),
        _page("Worklist: team", address, whose="team"),
        *(_page(f"Worklist: sort {sort}", address, whose="team", sort=sort) for sort in ITEM_SORTS),
        _page("Worklist: sort due, page 21", visitor.later_page(by_due, 20)),
        _page("Worklist: unassigned", address, whose="unassigned"),
        _page("Worklist: a flag", address, whose="team", flag="Value"),
        _page("Worklist: an owner", address, whose="team", owner="R7"),
        _page("Worklist: closed", address, whose="team", state="closed"),
        _page("Worklist: response times", f"{address}/response-times"),
    ]


def _company(base: str, companies: Iterator[str]) -> list[Request]:
    address = base + "/companies/{}"
    return [
        _each("Company: overview", address, companies),
        *(_each(f"Company: {tab}", f"{address}/{tab}", companies) for tab in COMPANY_TABS),
    ]


def _insights_and_rules(base: str) -> list[Request]:
    return [
        _page("Insights", f"{base}/insights"),
        _page("Outcomes: report", f"{base}/outcomes"),
        _page("Outcomes: all", f"{base}/outcomes/all"),
        *(
            _page(f"Outcomes: {kind}", f"{base}/outcomes/companies/{kind}")
            for kind in ("lost", "warned", "missed", "false-alarms", "undecided")
        ),
        _page("Outcomes: import", f"{base}/outcomes/import"),
        _each("Insights: an event", base + "/insights/{}", cycle(EVENT_KEYS)),
        _page("Events", f"{base}/events"),
        _page("Events: live", f"{base}/events/live"),
        _page("Events: refused", f"{base}/events/refused"),
        _page("Events: set aside", f"{base}/events/set-aside"),
        _page("Mentions", f"{base}/mentions"),
        _fragment("Mentions: members to mention", f"{base}/mentions/people", q="a"),
        _page("Search: everything", f"{base}/search", q="acme"),
        _fragment("Search: as somebody types", f"{base}/search", q="acm"),
        _page("Events: trace", f"{base}/events/trace?id=unknown"),
        _page("Rules", f"{base}/rules"),
        _page("Rules: text", f"{base}/rules", view="text"),
        _page("Rules: backtests", f"{base}/rules/backtests"),
        _page("Rules: completions", f"{base}/rules/completions"),
        _page("Rules: examples", f"{base}/rules/examples"),
        _page("Rules: an example", f"{base}/rules/examples/usage-drop"),
        _page("Rules: versions", f"{base}/rules/versions"),
        _page("Rules: a version", f"{base}/rules/versions/1"),
    ]


def _settings(
    base: str, companies: Iterator[str], deliveries: Iterator[str], endpoints: Iterator[str]
) -> list[Request]:
    developers = f"{base}/developers"
    log = f"{developers}/deliveries"
    return [
        _page("Developers: keys", developers),
        _page("Developers: connect", f"{developers}/connect"),
        _page("Developers: connect an SDK", f"{developers}/connect/sdk"),
        _fragment("Developers: what has arrived", f"{developers}/connect/arrivals"),
        _page("Developers: webhooks", f"{developers}/webhooks"),
        _each("Developers: a webhook", developers + "/webhooks/{}", endpoints),
        _page("Developers: deliveries", log),
        _page("Developers: failed deliveries", log, state="failed"),
        _page("Developers: waiting deliveries", log, state="waiting"),
        _each("Developers: a company's deliveries", log + "?company={}", companies),
        _each("Developers: a delivery", log + "/{}", deliveries),
        _page("People", f"{base}/people"),
        _page("Owners", f"{base}/owners"),
        _page("Audit log", f"{base}/audit"),
        _page("Notifications", f"{base}/notifications"),
        _page("Account", "/account"),
    ]


def _api(companies: Iterator[str]) -> list[Request]:
    return [
        _page("API: companies", "/v1/companies", limit="500"),
        _page("API: companies, a search", "/v1/companies", search="acme"),
        _each("API: health of one", "/v1/companies/{}/health", companies),
        _page("API: outcomes", "/v1/outcomes", limit="500"),
        _page("API: work items", "/v1/work-items", limit="500"),
        _page("API: transitions", "/v1/transitions", limit="500"),
    ]


def _first_ids(table: str, column: str, organization_id: int) -> list[str]:
    """Return a column of an organization's first 500 rows of a table."""
    rows = query(
        f"select {column} as id_text from {table} where organization_id = %(organization_id)s"
        " order by id limit 500",
        {"organization_id": organization_id},
    )
    return [str(row["id_text"]) for row in rows]
