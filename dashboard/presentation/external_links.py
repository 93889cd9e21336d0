"""Links to where a company is known elsewhere: its CRM, and who takes its payments.

Clients send the provider's name and an id, never an address. What we link to is built here, always
https at a host of a known provider, and only from an id of the form that the provider gives out.
Some addresses need the client's account there too; then the id is sent as `ACCOUNT/ID`.
"""

import re
from dataclasses import dataclass

_HOST = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NUMBER = r"[0-9]{1,20}"
_WORD = r"[A-Za-z0-9_-]{1,100}"
_SALESFORCE_ID = r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?"


@dataclass(frozen=True)
class Elsewhere:
    """Where a company is known: the provider's name for people, and its id there.

    `address` is None where we cannot build one.
    """

    provider: str
    id: str
    address: str | None


@dataclass(frozen=True)
class _Provider:
    """A provider; each way is the form of an id, and the address that its groups fill."""

    name: str
    ways: tuple[tuple[str, str], ...]


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


def elsewhere(provider: str | None, its_id: str | None) -> Elsewhere | None:
    """Where a company is known by a provider; None where nothing was said."""
    if not provider and not its_id:
        return None
    plain = re.sub(r"[^a-z0-9]", "", (provider or "").lower())
    known = _PROVIDERS.get(plain)
    if known is None:
        return Elsewhere(provider or "", its_id or "", None)
    filled = (_fill(form, address, its_id or "") for form, address in known.ways)
    return Elsewhere(known.name, its_id or "", next(filter(None, filled), None))


def _fill(form: str, address: str, its_id: str) -> str | None:
    found = re.fullmatch(form, its_id)
    return address.format(*found.groups()) if found else None
