"""Companies whose past was imported and is not judged yet."""

from collections.abc import Mapping
from datetime import datetime

from models.bulk import query_over


def mark(organization_id: int, arrivals: Mapping[int, datetime]) -> None:
    """Mark locked companies of an organization; `arrivals` has when it was imported, by id.

    The clock finds them, since they are unsettled from then on.
    """
    query_over(
        "update companies c set history_until = greatest(c.history_until, v.at),"
        " unsettled_since = least(c.unsettled_since, v.at)"
        " from v where c.organization_id = %(organization_id)s and c.id = v.id",
        [{"id": company_id, "at": at} for company_id, at in arrivals.items()],
        "id bigint, at timestamptz",
        organization_id=organization_id,
    )
