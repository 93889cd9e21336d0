"""Whether anything is due at all: one query instead of one for each of five kinds of work."""

from datetime import datetime

from models import across_organizations
from models.companies import pending_evaluation
from models.database import query
from models.health import flag_overrides, flag_states

_SOURCES = (
    flag_states.DUE,
    flag_overrides.DUE,
    pending_evaluation.UNSETTLED,
    pending_evaluation.JUDGED_BY_OLDER_RULES,
    across_organizations.DUE_DELIVERIES,
)
_ANYTHING = " or ".join(f"exists (select from {source})" for source in _SOURCES)


def is_anything_due(*, until: datetime) -> bool:
    """Whether a flag, override, event, newer rule version or delivery awaits processing.

    One index probe for each.
    """
    [row] = query(f"select {_ANYTHING} as is_due", {"until": until, "limit": 1})
    return bool(row["is_due"])
