"""Names of fields for the columns of a file."""

import re
import unicodedata

_METADATA = re.compile(r"\s*\(metadata\)$", re.IGNORECASE)
"""What Stripe adds to the names of metadata."""

_CUSTOM = re.compile(r"__[crp]c?$")
"""What Salesforce adds to the API names of fields that an organization has added."""

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s\b)[a-z])")


def field_name(header: str) -> str:
    """Return a header in snake case: `Annual Revenue` and `AnnualRevenue` are `annual_revenue`."""
    text = unicodedata.normalize("NFKC", header)
    text = _CUSTOM.sub("", _METADATA.sub("", text))
    return re.sub(r"\W+", "_", _HUMPS.sub("_", text).lower()).strip("_")
