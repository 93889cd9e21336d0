"""The statements across organizations; all others are about one.

Each is a plain select of one table that returns `organization_id`, except `is_anything_due`, which
is several of them in one round trip. A distributed PostgreSQL asks all of its shards for them, so
they are few: the clock finds what is due, and a key its organization.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from models.database import query

FLAGS = "flag_states"
OVERRIDES = "flag_overrides"
"""The tables with `company_id` and `due_at`."""

_DUE_FLAGS = f"{FLAGS} due where due_at <= %(until)s"
_DUE_OVERRIDES = f"{OVERRIDES} due where due_at <= %(until)s"
_UNSETTLED = "companies where unsettled_since < %(until)s"
_DUE_DELIVERIES = "deliveries where state = 'waiting' and next_attempt_at <= %(until)s"
_DUE_MESSAGES = "notification_messages where state in ('open', 'waiting') and due_at <= %(until)s"
_APPLIED_RULES = "rule_versions where applied_at > %(since)s and applied_at <= %(until)s"


class DueCompany(NamedTuple):
    """A company with a due flag or override, and since when it is due."""

    organization_id: int
    company_id: int
    due_at: datetime


class UnsettledCompany(NamedTuple):
    """A company with an event that is not evaluated; `state` differs after every update."""

    organization_id: int
    company_id: int
    state: str


class TouchedWeek(NamedTuple):
    """A week of an organization with events that arrived after it was counted."""

    organization_id: int
    week: date
    event_keys: list[str]


class DueDelivery(NamedTuple):
    """A delivery that is due, and the number of the attempt to make."""

    organization_id: int
    endpoint_id: UUID
    delivery_id: UUID
    attempt: int


class DueProbe(NamedTuple):
    """An endpoint whose probe is due, and since when it is."""

    organization_id: int
    endpoint_id: UUID
    probe_at: datetime


class DueMessage(NamedTuple):
    """A message to people that is due, and since when it is."""

    organization_id: int
    message_id: UUID
    due_at: datetime


class FoundKey(NamedTuple):
    """A valid API key, and the names of its scopes."""

    organization_id: int
    key_id: int
    scopes: list[str]


class StateCount(NamedTuple):
    """The number of rows of an organization in a state."""

    organization_id: int
    state: str
    number: int


def is_anything_due(*, until: datetime, rules_since: datetime) -> bool:
    """Whether a flag, override, event, delivery or message awaits processing: a probe for each.

    Or rules came into force after `rules_since`.
    """
    sources = (
        _DUE_FLAGS,
        _DUE_OVERRIDES,
        _UNSETTLED,
        _DUE_DELIVERIES,
        _DUE_MESSAGES,
        _APPLIED_RULES,
    )
    anything = " or ".join(f"exists (select from {source})" for source in sources)
    [row] = query(
        f"select {anything} as is_due", {"until": until, "since": rules_since, "limit": 1}
    )
    return bool(row["is_due"])


# A list of pairs would be compared with each row, one after another.
DUE_NOT_LEFT_OUT = """
    and not exists (
        select from unnest(%(left_out_ids)s::bigint[], %(left_out_due)s::timestamptz[])
            as left_out (company_id, due_at)
        where left_out.company_id = due.company_id and left_out.due_at = due.due_at
    )
"""


def find_due_companies(
    table: str,
    *,
    until: datetime,
    limit: int,
    leave_out: Sequence[tuple[int, datetime]] = (),
    except_organizations: Collection[int] = (),
) -> list[DueCompany]:
    """Return companies with a due row in `FLAGS` or `OVERRIDES`, the longest overdue first.

    One probe of the table's partial index on `due_at`, regardless of the number of companies; it
    skips the pairs of a company and a time in `leave_out`.
    """
    rows = query(
        f"select due.organization_id, due.company_id, due.due_at from {table} due"
        " where due.due_at <= %(until)s"
        + (DUE_NOT_LEFT_OUT if leave_out else "")
        + (" and due.organization_id <> all(%(without)s)" if except_organizations else "")
        + " order by due.due_at limit %(limit)s",
        {
            "until": until,
            "limit": limit,
            "left_out_ids": [company_id for company_id, _ in leave_out],
            "left_out_due": [due_at for _, due_at in leave_out],
            "without": list(except_organizations),
        },
    )
    return [DueCompany(**row) for row in rows]


_NOT_LEFT_OUT = """
    and not exists (
        select from unnest(%(left_out_ids)s::bigint[], %(left_out_states)s::text[])
            as left_out (company_id, state)
        where left_out.company_id = companies.id and left_out.state = companies.xmin::text
    )
"""


def find_unsettled_companies(
    *,
    until: datetime,
    limit: int,
    leave_out: Sequence[tuple[int, str]] = (),
    organizations: Collection[int] | None = None,
    except_organizations: Collection[int] = (),
) -> list[UnsettledCompany]:
    """Return companies with an event that took effect before `until` and is not evaluated yet.

    `leave_out` has companies and states to skip. Those that have waited longest come first.
    `organizations` are the only ones, or None for all.
    """
    rows = query(
        f"select organization_id, id as company_id, xmin::text as state from {_UNSETTLED}"
        + (_NOT_LEFT_OUT if leave_out else "")
        + (" and organization_id = any(%(only)s)" if organizations is not None else "")
        + (" and organization_id <> all(%(without)s)" if except_organizations else "")
        + " order by unsettled_since limit %(limit)s",
        {
            "until": until,
            "limit": limit,
            "left_out_ids": [company_id for company_id, _ in leave_out],
            "left_out_states": [state for _, state in leave_out],
            "only": list(organizations or ()),
            "without": list(except_organizations),
        },
    )
    return [UnsettledCompany(**row) for row in rows]


def find_applied_rules(*, since: datetime, until: datetime) -> dict[int, int]:
    """Return the newest version of the rules that came into force in `(since, until]`.

    By organization; those without a new version are absent.
    """
    rows = query(
        f"select organization_id, max(version) as version from {_APPLIED_RULES}"
        " group by organization_id",
        {"since": since, "until": until},
    )
    return {row["organization_id"]: row["version"] for row in rows}


def find_organizations_of(company_ids: Collection[int]) -> dict[int, int]:
    """Return the organizations of companies, by the companies' ids."""
    rows = query(
        "select organization_id, id from companies where id = any(%(ids)s)",
        {"ids": list(company_ids)},
    )
    return {row["id"]: row["organization_id"] for row in rows}


def find_api_key(sha256: bytes) -> FoundKey | None:
    """Return the valid key with this digest."""
    rows = query(
        "select organization_id, id as key_id, scopes from api_keys"
        " where sha256 = %(sha256)s and revoked_at is null",
        {"sha256": sha256},
    )
    return FoundKey(**rows[0]) if rows else None


def list_with_arrivals() -> list[int]:
    """Return the organizations with events that are not in the hourly counts yet."""
    rows = query("select distinct organization_id from event_arrivals order by 1")
    return [row["organization_id"] for row in rows]


def list_with_stale_runs() -> list[int]:
    """Return the organizations with companies whose `flag_runs` lack the newest transitions."""
    rows = query(
        "select distinct organization_id from companies where runs_sequence <> sequence order by 1"
    )
    return [row["organization_id"] for row in rows]


def list_with_stale_portfolio() -> list[int]:
    """Return the organizations with companies to count again for the daily figures."""
    rows = query("select distinct organization_id from portfolio_stale order by 1")
    return [row["organization_id"] for row in rows]


def list_with_portfolio_backfill() -> list[int]:
    """Return the organizations whose companies are all being counted for the daily figures."""
    rows = query("select organization_id from portfolio_backfills order by 1")
    return [row["organization_id"] for row in rows]


def list_with_backtests(now: datetime) -> list[int]:
    """Return the organizations with a backtest that no worker owns: a probe of a small index."""
    rows = query(
        "select distinct organization_id from backtests where state in ('waiting', 'running')"
        " and (lease_until is null or lease_until < %(now)s) order by 1",
        {"now": now},
    )
    return [row["organization_id"] for row in rows]


def list_with_old_backtests(*, before: datetime) -> list[int]:
    """Return the organizations with backtests that were started before an instant."""
    rows = query(
        "select distinct organization_id from backtests where started_at < %(before)s order by 1",
        {"before": before},
    )
    return [row["organization_id"] for row in rows]


def list_with_waiting_records() -> list[int]:
    """Return the organizations with records of users whose company is not known."""
    rows = query("select distinct organization_id from waiting_records order by 1")
    return [row["organization_id"] for row in rows]


def find_touched_weeks(
    now: datetime, *, min_interval: timedelta, cost_factor: int, limit: int
) -> list[TouchedWeek]:
    """Return the weeks that may be counted again by now, the longest waiting first.

    A week is counted again after `min_interval`, or after `cost_factor` times the duration of its
    last count, whichever is longer.
    """
    rows = query(
        "select organization_id, week, array_agg(event_key order by event_key) as event_keys"
        " from event_weeks where touched_at is not null and (counted_at is null or"
        " counted_at + greatest(%(min_interval)s, %(cost_factor)s * took) <= %(now)s)"
        " group by 1, 2 order by min(touched_at), 2 desc limit %(limit)s",
        {"now": now, "min_interval": min_interval, "cost_factor": cost_factor, "limit": limit},
    )
    return [TouchedWeek(**row) for row in rows]


def list_with_answers(*, before: datetime) -> list[int]:
    """Return the organizations with stored answers as of a time before an instant."""
    rows = query(
        "select distinct organization_id from insights where as_of < %(before)s order by 1",
        {"before": before},
    )
    return [row["organization_id"] for row in rows]


def list_with_stale_forecasts(
    now: datetime, *, asked_within: timedelta, fresh: timedelta, cost_factor: int
) -> list[int]:
    """Return the organizations whose forecast was asked for lately and may be refreshed by now.

    It is fresh for some time, or for `cost_factor` times the duration of its last refresh.
    """
    rows = query(
        "select organization_id from forecasts where asked_at > %(since)s and (as_of is null"
        " or greatest(as_of + %(fresh)s, finished_at + %(cost_factor)s * (finished_at - as_of))"
        " <= %(now)s) order by 1",
        {"now": now, "since": now - asked_within, "fresh": fresh, "cost_factor": cost_factor},
    )
    return [row["organization_id"] for row in rows]


def find_due_deliveries(
    *,
    until: datetime,
    limit: int,
    leave_out: Collection[tuple[UUID, int]] = (),
    leave_out_endpoints: Collection[UUID] = (),
) -> list[DueDelivery]:
    """Return the waiting deliveries that are due, the longest due first.

    `leave_out` are attempts, each a delivery and a number; all of some endpoints can be left out.
    """
    rows = query(
        "select organization_id, endpoint_id, id as delivery_id, tries + 1 as attempt"
        f" from {_DUE_DELIVERIES} and endpoint_id <> all(%(endpoint_ids)s::uuid[])"
        " and not exists (select"
        " from unnest(%(ids)s::uuid[], %(attempts)s::int[]) as left_out (id, attempt)"
        " where left_out.id = deliveries.id and left_out.attempt = deliveries.tries + 1)"
        " order by next_attempt_at limit %(limit)s",
        {
            "until": until,
            "limit": limit,
            "ids": [delivery_id for delivery_id, _ in leave_out],
            "attempts": [attempt for _, attempt in leave_out],
            "endpoint_ids": list(leave_out_endpoints),
        },
    )
    return [DueDelivery(**row) for row in rows]


def find_due_messages(
    *, until: datetime, limit: int, leave_out: Collection[DueMessage] = ()
) -> list[DueMessage]:
    """Return the messages to people that are due, the longest due first, without `leave_out`."""
    rows = query(
        f"select organization_id, id as message_id, due_at from {_DUE_MESSAGES}"
        " and not exists (select from unnest(%(ids)s::uuid[], %(times)s::timestamptz[])"
        " as left_out (id, due_at) where left_out.id = notification_messages.id"
        " and left_out.due_at = notification_messages.due_at)"
        " order by due_at limit %(limit)s",
        {
            "until": until,
            "limit": limit,
            "ids": [message.message_id for message in leave_out],
            "times": [message.due_at for message in leave_out],
        },
    )
    return [DueMessage(**row) for row in rows]


def find_request(delivery_id: UUID, attempt: int) -> DueDelivery | None:
    """Return the request of a message that names only the delivery and the attempt."""
    rows = query(
        "select organization_id, endpoint_id, id as delivery_id from deliveries where id = %(id)s",
        {"id": delivery_id},
    )
    return DueDelivery(**rows[0], attempt=attempt) if rows else None


def find_due_probes(
    *, until: datetime, limit: int, leave_out: Collection[DueProbe] = ()
) -> list[DueProbe]:
    """Return the endpoints whose probe is due, the longest due first, without `leave_out`."""
    rows = query(
        "select organization_id, id as endpoint_id, probe_at from webhook_endpoints"
        " where probe_at <= %(until)s and removed_at is null and disabled_at is null"
        " and not exists (select from unnest(%(ids)s::uuid[], %(times)s::timestamptz[])"
        " as left_out (id, probe_at) where left_out.id = webhook_endpoints.id"
        " and left_out.probe_at = webhook_endpoints.probe_at)"
        " order by probe_at limit %(limit)s",
        {
            "until": until,
            "limit": limit,
            "ids": [probe.endpoint_id for probe in leave_out],
            "times": [probe.probe_at for probe in leave_out],
        },
    )
    return [DueProbe(**row) for row in rows]


def find_missed_turns(
    *, now: datetime, before: datetime, slots: int, limit: int, leave_out: Collection[UUID] = ()
) -> list[tuple[int, UUID]]:
    """Return endpoints with a free slot and a delivery that is parked since before an instant.

    Each is its organization and its id. Endpoints whose circuit is open have no free slot.
    """
    rows = query(
        "select e.organization_id, e.id from webhook_endpoints e where e.removed_at is null"
        " and e.disabled_at is null and e.probe_at is null and e.id <> all(%(leave_out)s::uuid[])"
        " and exists (select from deliveries d where d.organization_id = e.organization_id"
        " and d.endpoint_id = e.id and d.state = 'waiting' and d.parked"
        " and d.created_at < %(before)s)"
        " and %(slots)s > (select count(*) from deliveries d"
        " where d.organization_id = e.organization_id and d.endpoint_id = e.id"
        " and d.lease_token is not null and d.next_attempt_at > %(now)s) limit %(limit)s",
        {
            "now": now,
            "before": before,
            "slots": slots,
            "limit": limit,
            "leave_out": list(leave_out),
        },
    )
    return [(row["organization_id"], row["id"]) for row in rows]


def count_unfinished_deliveries() -> list[StateCount]:
    """Count the deliveries that are `waiting`, `parked` or `paused`, by organization."""
    return _state_counts(
        "select organization_id, case when parked and next_attempt_at is null then 'parked'"
        " else state end as state, count(*) as number from deliveries"
        " where state in ('waiting', 'paused') group by 1, 2"
    )


def count_endpoints() -> list[StateCount]:
    """Count the endpoints that are `active`, `failing` or `disabled`, by organization."""
    return _state_counts(
        "select organization_id, case when disabled_at is not null then 'disabled'"
        " when probe_at is not null then 'failing' else 'active' end as state,"
        " count(*) as number from webhook_endpoints where removed_at is null group by 1, 2"
    )


def find_oldest_due(*, until: datetime) -> tuple[int, datetime] | None:
    """Return the organization of the delivery that is due longest, and since when it is."""
    rows = query(
        f"select organization_id, next_attempt_at from {_DUE_DELIVERIES}"
        " and lease_token is null order by next_attempt_at limit 1",
        {"until": until},
    )
    return (rows[0]["organization_id"], rows[0]["next_attempt_at"]) if rows else None


def count_unfinished_messages() -> list[StateCount]:
    """Count the messages to people that are `open`, `waiting` or `paused`, by organization."""
    return _state_counts(
        "select organization_id, case when due_at is null then 'paused' else state end as state,"
        " count(*) as number from notification_messages where state in ('open', 'waiting')"
        " group by 1, 2"
    )


def count_destinations() -> list[StateCount]:
    """Count the destinations that are `active`, `failing` or `disabled`, by organization."""
    return _state_counts(
        "select organization_id, case when disabled_at is not null then 'disabled'"
        " when failures > 0 then 'failing' else 'active' end as state, count(*) as number"
        " from notification_destinations group by 1, 2"
    )


def find_oldest_planned_message(*, until: datetime) -> tuple[int, datetime] | None:
    """Return the organization of the message that was to be sent first, and when it was to be.

    Those that are paused are left out.
    """
    rows = query(
        "select organization_id, planned_at from notification_messages"
        " where state in ('open', 'waiting') and due_at is not null and planned_at <= %(until)s"
        " order by planned_at limit 1",
        {"until": until},
    )
    return (rows[0]["organization_id"], rows[0]["planned_at"]) if rows else None


def _state_counts(sql: str) -> list[StateCount]:
    return [StateCount(**row) for row in query(sql)]


_AHEAD = (
    (
        "id as company_id from companies where greatest(last_event_at, first_seen_at,"
        " unsettled_since, changed_at, recorded_until, history_until)"
    ),
    "company_id from flag_states where greatest(changed_at, moved_at)",
    "company_id from flag_overrides where not end_recorded and greatest(starts_at, ended_at)",
)


def find_companies_ahead(after: datetime, *, limit: int) -> list[tuple[int, int]]:
    """Return the organization and the id of companies with anything recorded after an instant.

    Reads each of three tables as a whole.
    """
    found: set[tuple[int, int]] = set()
    for ahead in _AHEAD:
        rows = query(
            f"select distinct organization_id, {ahead} > %(after)s limit %(limit)s",
            {"after": after, "limit": limit},
        )
        found |= {(row["organization_id"], row["company_id"]) for row in rows}
    return sorted(found)[:limit]
