"""Every address of docs/dashboard.md has its figures recounted here, or a reason why it has none.

The other modules of this folder recount those of `RECOUNTED`, on the demo data.
"""

from config.files import ROOT
from tests.unit.docs.documents import rows_of

ORGANIZATION = "/o/ORGANIZATION"

RECOUNTED = {
    "test_today": ["/", "/recent", "/changes", "/portfolio"],
    "test_companies": ["/companies", "/companies.csv", "/field-values"],
    "test_plans": [
        "/upcoming",
        "/worklist",
        "/worklist.csv",
        "/worklist/response-times",
        "/worklist/response-times/items",
    ],
    "test_one_company": [
        "/companies/COMPANY",
        "/companies/COMPANY/report",
        "/companies/COMPANY/timeline",
        "/companies/COMPANY/users",
        "/companies/COMPANY/fields",
        "/companies/COMPANY/deliveries",
        "/companies/COMPANY/outcomes",
        "/users/USER",
    ],
    "test_insights": [
        "/insights",
        "/insights/EVENT_KEY",
        "/outcomes",
        "/outcomes/companies/KIND",
        "/outcomes/all",
    ],
    "test_events_and_settings": [
        "/rules",
        "/rules/examples",
        "/rules/examples/EXAMPLE",
        "/rules/versions",
        "/events",
        "/events/live",
        "/events/live/newest",
        "/events/refused",
        "/events/set-aside",
        "/search",
        "/mentions",
        "/settings/developers",
        "/settings/developers/webhooks",
        "/settings/developers/deliveries",
        "/settings/developers/deliveries/DELIVERY",
        "/settings/developers/deliveries/DELIVERY/attempts",
        "/settings/notifications",
        "/settings/notifications/messages/MESSAGE",
        "/settings/people",
        "/settings/audit",
    ],
}
"""The paths below an organization by the module that recounts them."""

WITHOUT_FIGURES = {
    "a form about one thing, or the question before it is removed": [
        "/companies/COMPANY/flags/FLAG",
        "/companies/COMPANY/notes",
        "/companies/COMPANY/notes/NOTE",
        "/outcomes/all/OUTCOME",
        "/worklist/items/ITEM",
        "/rules/versions/VERSION",
        "/settings/developers/keys/KEY/scopes",
        "/settings/developers/keys/KEY/revoke",
        "/settings/developers/webhooks/ENDPOINT",
        "/settings/developers/webhooks/ENDPOINT/remove",
        "/settings/notifications/DESTINATION/remove",
        "/settings/notifications/DESTINATION/url",
        "/settings/notifications/tests/MESSAGE",
        "/mentions/people",
        "/settings/owners",
        "/settings/people/PERSON/owners",
        "/events/refused/NUMBER",
        "/events/refused/NUMBER/drop",
        "/events/set-aside/NUMBER",
        "/events/set-aside/NUMBER/drop",
        "/events/trace",
    ],
    "the number of its question is that of the list, which its own test compares": [
        "/events/refused/drop",
        "/events/set-aside/drop",
    ],
    "about a file, which the demo data has none of; their own tests recount them": [
        "/import",
        "/import/FILE",
        "/import/FILE/refused.csv",
        "/outcomes/import",
        "/outcomes/import/FILE",
        "/outcomes/import/FILE/refused.csv",
    ],
    "computed by a replay, which tests of the service compare with live evaluation": [
        "/rules/backtests",
        "/rules/backtests/BACKTEST",
    ],
    "texts and keys to copy": [
        "/rules/completions",
        "/settings/developers/connect",
        "/settings/developers/connect/DOOR",
        "/settings/developers/connect/arrivals",
    ],
}
"""The other paths below an organization by the reason."""

OF_NO_ORGANIZATION = ["/", "/account", "/sign-in", "/sign-in/openid", "/sign-in/openid/return"]
"""They show nothing but a person's own account."""


def test_every_address_is_recounted_or_has_no_figures() -> None:
    guide = (ROOT / "docs/dashboard.md").read_text(encoding="utf-8")
    listed = [row["address"].strip("`") for row in rows_of(guide, "address")]
    paths = [path for group in (*RECOUNTED.values(), *WITHOUT_FIGURES.values()) for path in group]
    expected = [*OF_NO_ORGANIZATION, *(ORGANIZATION + path for path in paths)]
    assert sorted(listed) == sorted(expected)
