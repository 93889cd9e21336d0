"""Finds the company of an event in what its product calls a group, an account or a property."""

from collections.abc import Mapping
from typing import Any

COMPANY_NAMES = (
    "company_id", "company", "account_id", "account", "organization_id", "organisation_id",
    "organization", "organisation", "org_id", "org", "group_id", "customer_id", "customer",
    "tenant_id", "tenant", "workspace_id", "workspace", "team_id", "team",
)  # fmt: skip
"""What the id of a company is called, the likeliest first. Case, blanks and dashes do not count."""


def plain_name(name: str) -> str:
    """Return a name in lower case, with its words joined by underscores."""
    split = "".join(
        f"_{letter}" if letter.isupper() and before.islower() else letter
        for before, letter in zip(" " + name, name, strict=False)
    )
    return "_".join(split.lower().replace("-", " ").replace("_", " ").replace("$", " ").split())


def company_in(values: Mapping[str, Any], name: str | None = None) -> str | None:
    """Return the id of the company among properties or groups; None if there is none.

    `name` is what it is called; by default, the likeliest of `COMPANY_NAMES` that is there.
    """
    if name is not None:
        return _id(values.get(name))
    named = {plain_name(key): value for key, value in values.items()}
    return next((found for each in COMPANY_NAMES if (found := _id(named.get(each)))), None)


def _id(value: Any) -> str | None:
    """Return a value as an id: of several groups of one kind, the first."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None
