"""Commands of the command line, as pages print them."""

from shlex import quote

DEFAULT_ORGANIZATION = "default"
"""The organization that commands are about unless they name another one."""


def command(text: str, organization: str) -> str:
    """Return a command about an organization: `brazebee import events events.csv --org acme`."""
    option = "" if organization == DEFAULT_ORGANIZATION else f" --org {quote(organization)}"
    return f"brazebee {text}{option}"
