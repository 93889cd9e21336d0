"""Moves to the present what was recorded ahead of it, while the clock of a machine was wrong.

Nothing has a time after the present, except what is planned. What has one was written while a clock
was ahead, and would be wrong until then: a flag is not judged before its last change, and a field
that was sent later is newer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from config.webhook_policy import LEASE
from models.bulk import insert
from models.companies.fields.field_merge import to_microseconds
from models.database import execute, query
from models.portfolio import stale_companies


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
    parameters: dict[str, Any] = {
        "organization_id": organization_id,
        "ids": [row["id"] for row in rows],
        "at": at,
        "microseconds": to_microseconds(at),
    }
    if rows:
        _bring_changes_of_fields_back(parameters)
        for statement in _OF_COMPANIES:
            execute(statement, parameters)
        stale_companies.mark_all_days(organization_id, parameters["ids"])
    return len(rows)


def _bring_changes_of_fields_back(parameters: Mapping[str, Any]) -> None:
    changes = query(
        f"delete from field_changes where {_THESE} and at > %(at)s"
        " returning organization_id, company_id, field, at, value",
        parameters,
    )
    last = {  # of several changes of a field, the last one applies
        (change["company_id"], change["field"]): {**change, "at": parameters["at"]}
        for change in sorted(changes, key=lambda change: change["at"])
    }
    insert(
        "field_changes",
        ("organization_id", "company_id", "field", "at", "value"),
        list(last.values()),
        json_columns=("value",),
        then="on conflict do nothing",
    )


def bring_others_back(organization_id: int, at: datetime) -> None:
    """Move what belongs to an organization, not to one company, and has a time after `at` there.

    Runs in the current transaction.
    """
    parameters: dict[str, Any] = {"organization_id": organization_id, "at": at, "lease": LEASE}
    _bring_counts_back(parameters)
    for statement in _OF_ORGANIZATION:
        execute(statement, parameters)


def _bring_counts_back(parameters: Mapping[str, Any]) -> None:
    """Count the events of the hours after this one in it."""
    counts = query(
        f"delete from event_counts where {_OURS} and hour > %(at)s"
        " returning organization_id, event_key, date_trunc('hour', %(at)s::timestamptz, 'UTC')"
        " as hour, events, %(at)s::timestamptz as last_at",
        parameters,
    )
    insert("event_arrivals", ("organization_id", "event_key", "hour", "events", "last_at"), counts)


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


_OURS = "organization_id = %(organization_id)s"
_THESE = "organization_id = %(organization_id)s and company_id = any(%(ids)s)"

_OF_COMPANIES = (
    f"""
    update events set occurred_at = %(at)s, received_at = %(at)s
    where {_THESE} and occurred_at > %(at)s
    """,
    f"""
    update companies set unsettled_since = coalesce(least(unsettled_since, %(at)s), %(at)s),
        {
        _earlier(
            "last_event_at",
            "said_since",
            "first_seen_at",
            "changed_at",
            "recorded_until",
            "unordered_until",
            "history_until",
        )
    },
        {_earlier_fields("fields_at")}, {_earlier_fields("fields_changed_at")}
    where organization_id = %(organization_id)s and id = any(%(ids)s)
    """,
    f"""
    update users set {_earlier("company_at", "first_seen_at", "moved_at", "event_at")},
        {_earlier_fields("fields_at")}
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
        when d.state = 'waiting' and d.tries = 0 and d.lease_token is null
            and d.next_attempt_at > %(at)s
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
    # What is derived from them is derived again.
    f"""
    update companies c set runs_sequence = -1
    where organization_id = %(organization_id)s and id = any(%(ids)s) and exists (
        select from flag_runs r where r.{_OURS} and r.company_id = c.id
            and greatest(r.raised_at, r.cleared_at) > %(at)s)
    """,
    f"""
    update work_items
    set {_earlier("raised_at", "opened_at", "worse_since", "touched_at", "closed_at")}
    where {_THESE} and greatest(raised_at, opened_at, worse_since, touched_at, closed_at) > %(at)s
    """,
    f"update work_item_changes set at = %(at)s where {_THESE} and at > %(at)s",
)

_OF_ORGANIZATION = (
    f"""
    update event_arrivals set last_at = %(at)s,
        hour = least(hour, date_trunc('hour', %(at)s::timestamptz, 'UTC'))
    where {_OURS} and last_at > %(at)s
    """,
    f"update event_counts set last_at = %(at)s where {_OURS} and last_at > %(at)s",
    f"""
    delete from event_weeks
    where {_OURS} and week > (%(at)s::timestamptz at time zone 'UTC')::date
    """,
    f"""
    update event_weeks set {_earlier("touched_at", "counted_at")}
    where {_OURS} and greatest(touched_at, counted_at) > %(at)s
    """,
    f"""
    update backtests set started_at = least(started_at, %(at)s),
        {_earlier("lease_until", "finished_at")}
    where {_OURS} and greatest(started_at, lease_until, finished_at) > %(at)s
    """,
    f"update insights set as_of = %(at)s where {_OURS} and as_of > %(at)s",
    f"update rule_versions set applied_at = %(at)s where {_OURS} and applied_at > %(at)s",
    # A lease is never longer. A retry was planned as far ahead as the attempt before it was made.
    f"""
    update deliveries set next_attempt_at = %(at)s + %(lease)s
    where {_OURS} and state = 'waiting' and lease_token is not null
        and next_attempt_at > %(at)s + %(lease)s
    """,
    f"""
    update deliveries d set {_earlier("finished_at")}, next_attempt_at = case
        when d.state = 'waiting' and d.lease_token is null
        then d.next_attempt_at - (a.at - %(at)s) else d.next_attempt_at end
    from (
        select delivery_id, max(at) as at from delivery_attempts
        where {_OURS} and at > %(at)s group by 1
    ) a
    where d.organization_id = %(organization_id)s and a.delivery_id = d.id
    """,
    # So was a probe, as far ahead as the endpoint's latest attempt.
    """
    update webhook_endpoints e set probe_at = e.probe_at - (a.at - %(at)s)
    from (
        select d.endpoint_id, max(a.at) as at from delivery_attempts a join deliveries d
            on d.organization_id = a.organization_id and d.id = a.delivery_id
        where a.organization_id = %(organization_id)s and a.at > %(at)s group by 1
    ) a
    where e.organization_id = %(organization_id)s and a.endpoint_id = e.id
    """,
    f"update delivery_attempts set at = %(at)s where {_OURS} and at > %(at)s",
    f"""
    update webhook_endpoints
    set {_earlier("failing_since", "warned_at", "disabled_at", "last_success_at")}
    where {_OURS} and greatest(failing_since, warned_at, disabled_at, last_success_at) > %(at)s
    """,
)
