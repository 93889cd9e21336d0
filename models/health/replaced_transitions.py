"""Deletes transitions that others replace, because events of the past were imported."""

from collections.abc import Mapping

from models.bulk import query_over
from models.database import execute
from models.health import flag_runs
from models.portfolio import stale_companies


def remove(organization_id: int, first_sequences: Mapping[int, int]) -> None:
    """Delete transitions of companies, for each from a sequence number on.

    Their deliveries stay, and are about no transition any more.
    """
    removed = query_over(
        "select t.id from v join transitions t on t.company_id = v.company_id"
        " and t.sequence >= v.first where t.organization_id = %(organization_id)s",
        [{"company_id": id_, "first": first} for id_, first in first_sequences.items()],
        "company_id bigint, first bigint",
        organization_id=organization_id,
    )
    if not removed:
        return
    flag_runs.mark_stale(organization_id, list(first_sequences))
    parameters = {"organization_id": organization_id, "ids": [row["id"] for row in removed]}
    execute(
        "update deliveries set transition_id = null where organization_id = %(organization_id)s"
        " and transition_id = any(%(ids)s::uuid[])",
        parameters,
    )
    stale_companies.mark_all_days(organization_id, first_sequences)
    execute(
        "delete from transitions where organization_id = %(organization_id)s"
        " and id = any(%(ids)s::uuid[])",
        parameters,
    )
