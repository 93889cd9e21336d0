"""Moves to the present what was recorded ahead of it, while the clock of a machine was wrong.

Nothing has a time after the present, except what is planned. What has one was written while a clock
was ahead, and would be wrong until then: a flag is not judged before its last change, and a field
that was sent later is newer.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from config.webhook_policy import LEASE
from models.companies.fields.field_merge import to_microseconds
from models.database import execute, query

CompanyId = tuple[int, int]
"""The ids of the rows of an organization and of one of its companies."""


def find_companies(after: datetime, *, limit: int) -> list[CompanyId]:
    """Return companies with anything recorded after an instant; reads both tables as a whole."""
    rows = query(
        "select organization_id, id from companies where last_event_at > %(after)s"
        " or first_seen_at > %(after)s or unsettled_since > %(after)s or changed_at > %(after)s"
        " or recorded_until > %(after)s"
        " union select organization_id, company_id from flag_states"
        " where changed_at > %(after)s or moved_at > %(after)s"
        " union select organization_id, company_id from flag_overrides"
        " where not end_recorded and greatest(starts_at, ended_at) > %(after)s"
        " order by 1, 2 limit %(limit)s",
        {"after": after, "limit": limit},
    )
    return [(row["organization_id"], row["id"]) for row in rows]


def bring_companies_back(organization_id: int, company_ids: Sequence[int], at: datetime) -> int:
    """Move what companies of an organization have after `at` there; return their number.

    Their flags become due, so that they are judged again. Companies whose rows are locked are left
    out. Runs in the current transaction.
    """
    rows = query(
        "select id from companies where organization_id = %(organization_id)s"
        " and id = any(%(ids)s) order by id for no key update skip locked",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )
    parameters = {
        "organization_id": organization_id,
        "ids": [row["id"] for row in rows],
        "at": at,
        "microseconds": to_microseconds(at),
    }
    if rows:
        for statement in _OF_COMPANIES:
            execute(statement, parameters)
    return len(rows)


def bring_others_back(at: datetime) -> None:
    """Move what belongs to no single company and has a time after `at` there.

    Runs in the current transaction.
    """
    parameters: dict[str, Any] = {"at": at, "lease": LEASE}
    for statement in _OF_NO_COMPANY:
        execute(statement, parameters)


def _earlier(*columns: str) -> str:
    """Return assignments that move times after `at` there; `least` would replace nulls."""
    return ", ".join(
        f"{column} = case when {column} > %(at)s then %(at)s else {column} end"
        for column in columns
    )


def _earlier_fields(column: str) -> str:
    """Return the same for an object of fields and microseconds since 1970, or nulls."""
    return (
        f"{column} = coalesce((select jsonb_object_agg(key,"
        " least(value::bigint, case when value is not null then %(microseconds)s end))"
        f" from jsonb_each_text({column})), '{{}}')"
    )


_THESE = "organization_id = %(organization_id)s and company_id = any(%(ids)s)"

_OF_COMPANIES = (
    f"""
    update events set occurred_at = %(at)s, received_at = %(at)s
    where {_THESE} and occurred_at > %(at)s
    """,
    # Of several changes of a field, the last one applies.
    f"""
    with ahead as (delete from field_changes where {_THESE} and at > %(at)s returning *)
    insert into field_changes (organization_id, company_id, field, at, value)
    select distinct on (company_id, field) organization_id, company_id, field, %(at)s, value
    from ahead order by company_id, field, at desc on conflict do nothing
    """,
    f"""
    update companies set unsettled_since = coalesce(least(unsettled_since, %(at)s), %(at)s),
        {_earlier("last_event_at", "said_since", "first_seen_at", "changed_at", "recorded_until")},
        {_earlier_fields("fields_at")}, {_earlier_fields("fields_changed_at")}
    where organization_id = %(organization_id)s and id = any(%(ids)s)
    """,
    f"""
    update users set {_earlier("company_at", "first_seen_at")}, {_earlier_fields("fields_at")}
    where {_THESE} and company_at > %(at)s
    """,
    f"""
    update flag_states set due_at = %(at)s, {_earlier("changed_at", "moved_at")},
        holding = coalesce((select jsonb_object_agg(key, least(value::timestamptz, %(at)s))
            from jsonb_each_text(holding)), '{{}}')
    where {_THESE}
    """,
    f"""
    update flag_overrides set {_earlier("starts_at", "ended_at")}
    where {_THESE} and not end_recorded
    """,
    # If the message that requests a first attempt was lost, it is due now.
    """
    update deliveries d set created_at = %(at)s, next_attempt_at = case
        when d.state = 'waiting' and d.tries = 0 and d.lease_token is null and not d.parked
        then %(at)s else d.next_attempt_at end
    from transitions t
    where t.organization_id = %(organization_id)s and t.company_id = any(%(ids)s)
        and t.recorded_at > %(at)s and d.organization_id = t.organization_id
        and d.transition_id = t.id and d.created_at > %(at)s
    """,
    f"""
    update transitions set {_earlier("at", "recorded_at")}
    where {_THESE} and greatest(at, recorded_at) > %(at)s
    """,
)

_OF_NO_COMPANY = (
    # Events of the hours after this one are counted in it.
    """
    with ahead as (delete from event_counts where hour > %(at)s returning *)
    insert into event_arrivals (organization_id, event_key, hour, events, last_at)
    select organization_id, event_key, date_trunc('hour', %(at)s::timestamptz, 'UTC'), events,
        %(at)s
    from ahead
    """,
    """
    update event_arrivals set last_at = %(at)s,
        hour = least(hour, date_trunc('hour', %(at)s::timestamptz, 'UTC'))
    where last_at > %(at)s
    """,
    "update event_counts set last_at = %(at)s where last_at > %(at)s",
    "delete from event_weeks where week > (%(at)s::timestamptz at time zone 'UTC')::date",
    f"""
    update event_weeks set {_earlier("touched_at", "counted_at")}
    where greatest(touched_at, counted_at) > %(at)s
    """,
    "update insights set as_of = %(at)s where as_of > %(at)s",
    "update rule_versions set applied_at = %(at)s where applied_at > %(at)s",
    # A lease is never longer. A retry was planned as far ahead as the attempt before it was made.
    """
    update deliveries set next_attempt_at = %(at)s + %(lease)s
    where state = 'waiting' and lease_token is not null and next_attempt_at > %(at)s + %(lease)s
    """,
    f"""
    update deliveries d set {_earlier("finished_at")}, next_attempt_at = case
        when d.state = 'waiting' and d.lease_token is null
        then d.next_attempt_at - (a.at - %(at)s) else d.next_attempt_at end
    from (
        select organization_id, delivery_id, max(at) as at from delivery_attempts
        where at > %(at)s group by 1, 2
    ) a
    where a.organization_id = d.organization_id and a.delivery_id = d.id
    """,
    # So was a probe, as far ahead as the endpoint's latest attempt.
    """
    update webhook_endpoints e set probe_at = e.probe_at - (a.at - %(at)s)
    from (
        select d.organization_id, d.endpoint_id, max(a.at) as at
        from delivery_attempts a join deliveries d
            on d.organization_id = a.organization_id and d.id = a.delivery_id
        where a.at > %(at)s group by 1, 2
    ) a
    where a.organization_id = e.organization_id and a.endpoint_id = e.id
    """,
    "update delivery_attempts set at = %(at)s where at > %(at)s",
    f"""
    update webhook_endpoints
    set {_earlier("failing_since", "warned_at", "disabled_at", "last_success_at")}
    where greatest(failing_since, warned_at, disabled_at, last_success_at) > %(at)s
    """,
)
