"""What `brazebee up` says once it takes events."""

from collections.abc import Mapping

from cli.up.first_start import FirstStart

LOOPBACK = "127.0.0.0/8"
"""Where webhooks may go on the embedded default: a newcomer's receiver runs here."""


def welcome(base_url: str, environment: Mapping[str, str], first: FirstStart | None) -> str:
    """The address, and after the first start a key and a command to try it with.

    Its lines carry no prefix, so that key and command can be copied as they stand.
    """
    lines = ["", f"Brazebee is ready at {base_url}"]
    if environment.get("BRAZEBEE_WEBHOOK_ALLOW_NETS") == LOOPBACK:
        lines.append(f"Webhooks may go to {LOOPBACK}, since this is the embedded default.")
    if first is None:
        lines.append("For another API key, run: brazebee keys create")
    else:
        lines += [
            "The organization `default` was made, with the rules in config/health.yaml.",
            "",
            f"  API key (shown only this once): {first.api_key}",
        ]
        if first.event_key is not None:
            lines += ["", "Post a first event:", "", _curl(base_url, first)]
    return "\n".join([*lines, ""])


def _curl(base_url: str, first: FirstStart) -> str:
    event = (
        f'{{"event_key": "{first.event_key}",'
        ' "company": {"id": "company_123", "name": "Acme Corp"}}'
    )
    return (
        f"curl -X POST {base_url}/v1/track -H 'x-api-key: {first.api_key}'"
        f" -H 'Content-Type: application/json' -d '{event}'"
    )
