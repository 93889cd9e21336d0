"""Whether anything is due at all: one question, where looking for each kind takes six."""

from datetime import datetime

from models.companies import companies
from models.database import query
from models.health import flag_overrides, flag_states
from models.webhooks import deliveries

_SOURCES = (
    flag_states.DUE,
    flag_overrides.DUE,
    companies.UNSETTLED,
    companies.JUDGED_BY_OLDER_RULES,
    deliveries.DUE,
    deliveries.PROBES,
)
_ANYTHING = " or ".join(f"exists (select from {source})" for source in _SOURCES)


def is_anything_due(*, until: datetime) -> bool:
    """Whether a flag, an override, an event, newer rules or a delivery waits to be worked on.

    One probe of an index for each.
    """
    [row] = query(f"select {_ANYTHING} as found", {"until": until, "limit": 1})
    return bool(row["found"])
