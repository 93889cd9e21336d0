"""Links to a company's record in the CRM and at the payment provider.

Clients send the provider's name and an id, never a URL. The URL is built here: always https at a
host of a known provider, and only from an id in that provider's format. Some URLs also need the
client's account at the provider; the id is then sent as `ACCOUNT/ID`.
"""

import re
from dataclasses import dataclass

_HOST = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NUMBER = r"[0-9]{1,20}"
_WORD = r"[A-Za-z0-9_-]{1,100}"
_SALESFORCE_ID = r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?"


@dataclass(frozen=True)
class ExternalLink:
    """A company's record at a provider, with the provider's display name.

    `address` is None if the provider or the format of the id is unknown.
    """

    provider: str
    id: str
    address: str | None


@dataclass(frozen=True)
class _Provider:
    """A provider; each format is a pattern of ids, and the URL that the pattern's groups fill."""

    name: str
    formats: tuple[tuple[str, str], ...]


_PROVIDERS = {
    "salesforce": _Provider(
        "Salesforce",
        (
            (
                rf"({_HOST})/({_SALESFORCE_ID})",
                "https://{0}.lightning.force.com/lightning/r/Account/{1}/view",
            ),
            (rf"({_SALESFORCE_ID})", "https://login.salesforce.com/?startURL=%2F{0}"),
        ),
    ),
    "hubspot": _Provider(
        "HubSpot",
        ((rf"({_NUMBER})/({_NUMBER})", "https://app.hubspot.com/contacts/{0}/record/0-2/{1}"),),
    ),
    "pipedrive": _Provider(
        "Pipedrive",
        (
            (rf"({_HOST})/({_NUMBER})", "https://{0}.pipedrive.com/organization/{1}"),
            (rf"({_NUMBER})", "https://app.pipedrive.com/organization/{0}"),
        ),
    ),
    "close": _Provider(
        "Close", ((r"(lead_[A-Za-z0-9]{1,80})", "https://app.close.com/lead/{0}/"),)
    ),
    "attio": _Provider(
        "Attio", ((rf"({_WORD})/({_WORD})", "https://app.attio.com/{0}/company/{1}/overview"),)
    ),
    "intercom": _Provider(
        "Intercom",
        ((rf"({_WORD})/({_WORD})", "https://app.intercom.com/a/apps/{0}/companies/{1}"),),
    ),
    "stripe": _Provider(
        "Stripe", ((r"(cus_[A-Za-z0-9]{1,80})", "https://dashboard.stripe.com/customers/{0}"),)
    ),
    "chargebee": _Provider(
        "Chargebee", ((rf"({_HOST})/({_WORD})", "https://{0}.chargebee.com/d/customers/{1}"),)
    ),
    "recurly": _Provider(
        "Recurly", ((rf"({_HOST})/({_WORD})", "https://{0}.recurly.com/accounts/{1}"),)
    ),
    "paddle": _Provider(
        "Paddle", ((r"(ctm_[a-z0-9]{1,80})", "https://vendors.paddle.com/customers-v2/{0}"),)
    ),
}


def build_external_link(provider: str | None, record_id: str | None) -> ExternalLink | None:
    """Return the link to a company's record; None if the client sent neither provider nor id."""
    if not provider and not record_id:
        return None
    key = re.sub(r"[^a-z0-9]", "", (provider or "").lower())
    details = _PROVIDERS.get(key)
    if details is None:
        return ExternalLink(provider or "", record_id or "", None)
    addresses = (_fill(pattern, address, record_id or "") for pattern, address in details.formats)
    return ExternalLink(details.name, record_id or "", next(filter(None, addresses), None))


def _fill(pattern: str, address: str, record_id: str) -> str | None:
    match = re.fullmatch(pattern, record_id)
    return address.format(*match.groups()) if match else None
