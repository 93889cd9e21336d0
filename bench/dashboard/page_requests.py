"""Every page of the dashboard and every list of the read API, as requests to measure."""

from collections.abc import Callable
from itertools import cycle
from urllib.parse import urlencode

from bench.dashboard.visitor import Request, Visitor
from bench.load.traffic import EVENT_KEYS
from models.database import query, transaction
from models.organizations.organizations import Organization


def every_page(visitor: Visitor, organization: Organization) -> list[Request]:
    """Return all pages, fragments and API responses whose cost could grow with the stored data."""
    o, base = organization.id, f"/o/{organization.name}"
    with transaction():
        companies = _first_ids("select external_id as id_text from companies", o)
        deliveries = _first_ids("select id as id_text from deliveries", o)
        endpoints = _first_ids("select id as id_text from webhook_endpoints", o)
    company, delivery, endpoint = cycle(companies), cycle(deliveries), cycle(endpoints)
    event_key = cycle(EVENT_KEYS)
    settings = f"{base}/settings"
    later = visitor.later_page(f"{base}/companies", 20)

    def page(name: str, address: str, **query: str) -> Request:
        return Request(name, cycle([f"{address}?{urlencode(query)}" if query else address]))

    def each(name: str, address: Callable[[], str]) -> Request:
        return Request(name, iter(address, ""))

    def fragment(request: Request) -> Request:
        return Request(request.page, request.addresses, fragment=True)

    def companies_page(name: str, **query: str) -> Request:
        return page(f"Companies: {name}", f"{base}/companies", **query)

    def of_company(name: str, below: str = "") -> Request:
        return each(f"Company: {name}", lambda: f"{base}/companies/{next(company)}{below}")

    sorts = ("name", "-name", "score", "-score", "since", "-since", "last-event", "-last-event")
    return [
        page("Today", f"{base}/"),
        *(fragment(page(f"Today: {name}", f"{base}/{name}")) for name in ("changes", "coming")),
        fragment(page("Today: coming, page 3", visitor.later_page(f"{base}/coming", 2))),
        companies_page("worst first"),
        fragment(page("Companies: page 21", later)),
        *(companies_page(f"sort {sort}", sort=sort) for sort in sorts),
        fragment(companies_page("search, many", q="acme")),
        fragment(companies_page("search, one", q="any_4711")),
        fragment(companies_page("search, none", q="nobody at all")),
        fragment(companies_page("search, a letter", q="e")),
        companies_page("a status", status="Critical"),
        companies_page("a status by name", status="Healthy", sort="name"),
        companies_page("a status by last event", status="Healthy", sort="-last-event"),
        companies_page("a flag", flag="Value", flag_status="At Risk"),
        companies_page("a flag, raised", flag="Value"),
        companies_page("a flag that all have", flag="Gone quiet", flag_status="Healthy"),
        companies_page("a field", **{"field.plan": "team"}),
        companies_page("a field and a search", q="hooli", **{"field.plan": "team"}),
        page("Companies: CSV, its beginning", f"{base}/companies.csv"),
        page("Companies: CSV of a search", f"{base}/companies.csv", q="acme"),
        of_company("overview"),
        *(of_company(name, f"/{name}") for name in (
            "timeline", "users", "fields", "deliveries", "notes", "flags/Value")),
        page("Insights", f"{base}/insights"),
        each("Insights: an event", lambda: f"{base}/insights/{next(event_key)}"),
        page("Events", f"{base}/events"),
        page("Rules", f"{base}/rules"),
        page("Rules: completions", f"{base}/rules/completions"),
        page("Rules: versions", f"{base}/rules/versions"),
        page("Rules: a version", f"{base}/rules/versions/1"),
        page("Developers: keys", f"{settings}/developers"),
        page("Developers: webhooks", f"{settings}/developers/webhooks"),
        each("Developers: a webhook",
             lambda: f"{settings}/developers/webhooks/{next(endpoint)}"),
        page("Developers: deliveries", f"{settings}/developers/deliveries"),
        page("Developers: failed deliveries", f"{settings}/developers/deliveries", state="failed"),
        page("Developers: waiting deliveries", f"{settings}/developers/deliveries",
             state="waiting"),
        each("Developers: a company's deliveries",
             lambda: f"{settings}/developers/deliveries?company={next(company)}"),
        each("Developers: a delivery",
             lambda: f"{settings}/developers/deliveries/{next(delivery)}"),
        page("People", f"{settings}/people"),
        page("Audit log", f"{settings}/audit"),
        page("Account", "/account"),
        page("API: companies", "/v1/companies", limit="500"),
        page("API: companies, a search", "/v1/companies", search="acme"),
        each("API: health of one", lambda: f"/v1/companies/{next(company)}/health"),
        page("API: transitions", "/v1/transitions", limit="500"),
    ]  # fmt: skip


def _first_ids(sql: str, organization_id: int) -> list[str]:
    """Return the first 500 ids that a query finds for an organization."""
    rows = query(
        f"{sql} where organization_id = %(organization_id)s order by id limit 500",
        {"organization_id": organization_id},
    )
    return [str(row["id_text"]) for row in rows]
