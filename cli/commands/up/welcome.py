"""The text that `brazebee up` prints once it accepts events."""

from collections.abc import Mapping

from cli.commands.up.first_start import FirstStart

LOOPBACK = "127.0.0.0/8"
"""Where webhooks may go with the embedded servers, so that a receiver on this machine works."""


def welcome(
    base_url: str, dashboard_url: str | None, environment: Mapping[str, str], first: FirstStart
) -> str:
    """Return the addresses, what the start created, and after the first start the ways in.

    The lines that are to be copied carry no prefix.
    """
    lines = ["", f"Brazebee is ready at {base_url}"]
    if dashboard_url:
        lines.append(f"The dashboard is at {dashboard_url}")
    if environment.get("BRAZEBEE_WEBHOOK_ALLOW_NETS") == LOOPBACK:
        lines.append(f"Webhooks may go to {LOOPBACK}, since the servers are the embedded ones.")
    if first.api_key is None:
        lines.append("For another API key, run: brazebee keys create")
    else:
        lines.append("The organization `default` was created with the rules in config/health.yaml.")
    if first.created_anything:
        lines += ["", "Shown only once:", ""]
    if first.administrator:
        lines += [
            f"  Sign in as: {first.administrator.email}",
            f"  Password:   {first.administrator.password}",
        ]
    if first.api_key:
        lines.append(f"  API key:    {first.api_key}")
        ingress = environment.get("BRAZEBEE_INGRESS_URL", base_url).rstrip("/")
        shown_at = dashboard_url and environment.get("BRAZEBEE_DASHBOARD_URL", dashboard_url)
        lines += ["", *_ways_in(ingress, shown_at, first.api_key, first.event_key)]
    return "\n".join([*lines, ""])


def _ways_in(
    base_url: str, dashboard_url: str | None, api_key: str, event_key: str | None
) -> list[str]:
    """Return how the first data gets in: by an SDK that is in use, an export, or a request.

    `base_url` is the address that applications send to, which may be that of a proxy.
    """
    lines = [
        "Your own customers, from what you have:",
        "",
        "  Segment, RudderStack or PostHog in your application: set the SDK's host to",
        f"  {base_url} and its write key to the API key.",
        "",
        "  An export:",
        "",
        "brazebee import events events.csv",
        "brazebee import companies companies.csv",
        "",
    ]
    if event_key is not None:
        lines += ["  Your own code:", "", _curl(base_url, api_key, event_key), ""]
    if dashboard_url:
        lines.append(f"{dashboard_url} shows each way step by step, and what arrives.")
    return lines


def _curl(base_url: str, api_key: str, event_key: str) -> str:
    event = (
        f'{{"event_key": "{event_key}", "company": {{"id": "company_123", "name": "Acme Corp"}}}}'
    )
    return (
        f"curl -X POST {base_url}/v1/track -H 'x-api-key: {api_key}'"
        f" -H 'Content-Type: application/json' -d '{event}'"
    )
