"""Links to CRM and payment providers are built from known hosts and ids alone."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation.external_links import elsewhere

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
def test_an_id_of_the_providers_form_is_linked(
    provider: str, its_id: str, address: str | None
) -> None:
    found = elsewhere(provider, its_id)
    assert found is not None
    assert (found.id, found.address) == (its_id, address)


def test_nothing_said_is_nowhere() -> None:
    assert elsewhere(None, None) is None
    assert elsewhere("", "") is None


@given(st.sampled_from(KNOWN + PAID), st.text() | st.from_regex(r"[\w.@:#?/%-]{1,40}"))
def test_whatever_the_id_says_an_address_is_https_at_a_host_of_the_provider(
    provider: str, its_id: str
) -> None:
    found = elsewhere(provider, its_id)
    if found is None or found.address is None:
        return
    parts = urlsplit(found.address)
    host = parts.hostname or ""
    assert parts.scheme == "https"
    assert any(host == known or host.endswith(f".{known}") for known in HOSTS)
    assert (parts.username, parts.port) == (None, None)
    assert found.address.isascii()
    assert found.address.isprintable()
