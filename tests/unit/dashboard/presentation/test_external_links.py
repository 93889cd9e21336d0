"""Links to CRM and payment providers use only known hosts and well-formed ids."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation.external_links import build_external_link

HOSTS = (
    "lightning.force.com",
    "login.salesforce.com",
    "app.hubspot.com",
    "pipedrive.com",
    "app.close.com",
    "app.attio.com",
    "app.intercom.com",
    "dashboard.stripe.com",
    "chargebee.com",
    "recurly.com",
    "vendors.paddle.com",
)
KNOWN = ("Salesforce", "hub_spot", "PIPEDRIVE", "close", "attio", "intercom", "stripe")
PAID = ("chargebee", "Recurly", "paddle")


@pytest.mark.parametrize(
    ("provider", "its_id", "address"),
    [
        (
            "salesforce",
            "0015g00000AbCdEAAV",
            "https://login.salesforce.com/?startURL=%2F0015g00000AbCdEAAV",
        ),
        (
            "Salesforce",
            "acme/0015g00000AbCdE",
            "https://acme.lightning.force.com/lightning/r/Account/0015g00000AbCdE/view",
        ),
        ("HubSpot", "123/456", "https://app.hubspot.com/contacts/123/record/0-2/456"),
        ("hubspot", "456", None),
        (
            "stripe",
            "cus_Na6dX7aXxi11N4",
            "https://dashboard.stripe.com/customers/cus_Na6dX7aXxi11N4",
        ),
        ("stripe", "sub_1", None),
        ("Chargebee", "acme/AzZlGJT", "https://acme.chargebee.com/d/customers/AzZlGJT"),
        ("chargebee", "evil.com#/x", None),
        ("stripe", "cus_1/../../login", None),
        ("stripe", "cus_1\n", None),
        ("https://evil.example", "1", None),
        ("somewhere", "42", None),
    ],
)
def test_an_id_in_the_providers_format_is_linked(
    provider: str, its_id: str, address: str | None
) -> None:
    link = build_external_link(provider, its_id)
    assert link is not None
    assert (link.id, link.address) == (its_id, address)


def test_without_provider_and_id_there_is_no_link() -> None:
    assert build_external_link(None, None) is None
    assert build_external_link("", "") is None


@given(st.sampled_from(KNOWN + PAID), st.text() | st.from_regex(r"[\w.@:#?/%-]{1,40}"))
def test_any_id_yields_an_https_address_at_a_host_of_the_provider_or_none(
    provider: str, its_id: str
) -> None:
    link = build_external_link(provider, its_id)
    if link is None or link.address is None:
        return
    url = urlsplit(link.address)
    host = url.hostname or ""
    assert url.scheme == "https"
    assert any(host == allowed or host.endswith(f".{allowed}") for allowed in HOSTS)
    assert (url.username, url.port) == (None, None)
    assert link.address.isascii()
    assert link.address.isprintable()
