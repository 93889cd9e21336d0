"""A year of data of 100,000 companies: users, events, health, deliveries, as pages read them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from bench.load.traffic import EVENT_KEYS, PLANS
from models.database import database, execute, query
from models.events import hourly_counts

RULES = f"""\
version: 1
statuses: [Healthy, At Risk, Critical]
events: {{{": , ".join(EVENT_KEYS)}: }}
flags:
  - flag: Value
    event: report_created
    when: {{At Risk: less than 3 times in 30 days, Critical: less than 1 time in 60 days}}
  - {{flag: Gone quiet, event: any, when: {{At Risk: no activity for 14 days}}}}
  - {{flag: Users, event: login, when: {{At Risk: fewer than 2 distinct users in 30 days}}}}
team: {{owner: company.region, value: company.seats, renewal: company.renews_on}}
"""
FLAGS = ("Value", "Gone quiet", "Users")
USERS = 3
BUSIEST = 2
"""The exponent of the distribution of events: the share of the busiest grows with it."""

_COMPANIES = """
    insert into companies (organization_id, external_id, name, traits, fields_at, last_event_at,
        first_seen_at, health_status, previous_status, changed_at, score, judged_version, sequence,
        awaiting, owner, value, renews_on, raised)
    select %(org)s, 'company_' || n, (array['Acme', 'Umbrella', 'Globex', 'Initech', 'Hooli'])
            [1 + n %% 5] || ' ' || md5(n::text) || ' ' || n,
        jsonb_build_object('plan', (%(plans)s::text[])[1 + n %% 4], 'seats', 5 + n %% 90,
            'region', 'r' || n %% 12),
        '{"name": null, "plan": null, "seats": null, "region": null}',
        %(now)s::timestamptz - interval '20 days' * random(),
        %(now)s::timestamptz - interval '360 days' * random(),
        case when n %% 10 < 7 then 'Healthy' when n %% 10 < 9 then 'At Risk' else 'Critical' end,
        'Healthy', %(now)s::timestamptz - interval '100 days' * random(),
        (n * 7) %% 101, 1, 3, case when n %% 10 < 7 then array[]::text[] else array['Value'] end,
        'r' || n %% 12, 5 + n %% 90, date '2026-01-01' + n %% 365,
        case when n %% 10 < 7 then '[]'::jsonb else jsonb_build_array(
            jsonb_build_object('flag', 'Value', 'status', 'Critical'),
            jsonb_build_object('flag', 'Gone quiet', 'status', 'At Risk')) end
    from generate_series(1, %(companies)s) n
"""
_WORK_ITEMS = """
    insert into work_items (organization_id, company_id, flag, status, snoozed, state, raised_at,
        opened_at, touched_at, owner, value, renews_on, due_on, closed_at, closed_because)
    select %(org)s, c.id, (%(flags)s::text[])[f],
        case when f = 1 then 'Critical' else 'At Risk' end, (c.id + f) %% 20 = 0,
        (array['open', 'open', 'seen', 'working', 'done'])[1 + (c.id + f) %% 5], t.at, t.at,
        case when (c.id + f) %% 5 > 1 then t.at + interval '2 days' * random() end, c.owner,
        c.value, c.renews_on,
        case when c.id %% 3 = 0 then %(now)s::timestamptz::date - 10 + (c.id %% 40)::integer end,
        case when f = 3 then t.at + interval '3 days' end, case when f = 3 then 'recovery' end
    from companies c cross join generate_series(1, 3) f,
        lateral (select %(now)s::timestamptz
            - interval '60 days' * random() * (0 * c.id + f) as at) t
    where organization_id = %(org)s and (f = 1 or c.id %% 4 < f)
"""
_USERS = """
    insert into users (organization_id, external_id, company_id, company_at, email, name,
        first_seen_at)
    select %(org)s, c.external_id || '-' || k, c.id, %(now)s, 'u@example.com', 'User ' || k,
        c.first_seen_at
    from companies c cross join generate_series(1, %(users)s) k where organization_id = %(org)s
"""
_EVENTS = """
    insert into events (organization_id, event_id, company_id, user_id, event_key, occurred_at,
        received_at, data)
    select %(org)s, 'past-' || n, c.first + place,
        c.first_user + place * %(users)s + n %% %(users)s,
        (%(keys)s::text[])[1 + floor(power(random(), 2) * %(key_count)s)::integer], at, at,
        '{"source": "web", "session_id": "0123456789abcdef", "duration_ms": 1234}'
    from generate_series(1, %(events)s) n,
        lateral (select floor(power(random() + 0 * n, %(busiest)s) * %(companies)s)::integer
            as place) p,
        lateral (select %(now)s::timestamptz
            - interval '365 days' * (1 - n::float8 / %(events)s) as at) t,
        (select (select min(id) from companies where organization_id = %(org)s) as first,
            (select min(id) from users where organization_id = %(org)s) as first_user) c
"""
# When most flags become due, newer events have arrived, as in a product in use.
_FLAG_STATES = """
    insert into flag_states (organization_id, company_id, flag, status, changed_at, due_at)
    select %(org)s, c.id, flag, case when n = 1 then c.health_status else 'Healthy' end,
        c.status_since, case when c.health_status = 'Healthy' or n > 1
            then %(now)s::timestamptz + interval '30 days' * random() end
    from companies c cross join unnest(%(flags)s::text[]) with ordinality as f (flag, n)
    where c.organization_id = %(org)s
"""
_TRANSITIONS = """
    insert into transitions (id, organization_id, company_id, sequence, at, from_status, to_status,
        cause, changes, rules_version, recorded_at)
    select gen_random_uuid(), %(org)s, c.id, k, c.status_since - (3 - k) * interval '9 days',
        case when k %% 2 = 1 then other else health_status end,
        case when k %% 2 = 1 then health_status else other end, 'time',
        '[{"flag": "Value", "from": "Healthy", "to": "At Risk", "threshold":
            "Less than 3 times in 30 days"}]', 1, c.status_since
    from companies c cross join generate_series(1, 3) k,
        lateral (select case health_status when 'Healthy' then 'At Risk' else 'Healthy' end other)
        as former
    where c.organization_id = %(org)s
"""
_RUNS = """
    insert into flag_runs (organization_id, company_id, flag, raised_at, cleared_at)
    select %(org)s, t.company_id, flag, t.at,
        case t.sequence when 1 then t.at + interval '9 days' end
    from transitions t cross join unnest(array['', 'Value']) flag
    where t.organization_id = %(org)s and t.sequence in (1, 3)
"""
_RUNS_ARE_DERIVED = """
    update companies set runs_sequence = sequence where organization_id = %(org)s
"""
_FORECAST = """
    insert into forecasts (organization_id, asked_at, as_of, evaluated_until, complete_at,
        finished_at)
    values (%(org)s, %(now)s, %(now)s, %(now)s, %(now)s, %(now)s)
"""
_UPCOMING_CHANGES = """
    insert into upcoming_changes (organization_id, company_id, at, superseded_at, direction,
        from_status, worst_status, worst_at, to_status, owner, value, cause, flags)
    select %(org)s, f.company_id, f.due_at, '9999-12-31Z', 1, 'Healthy', 'At Risk', f.due_at,
        'At Risk', c.owner, c.value, 'time',
        '[{"flag": "Value", "before": "Healthy", "after": "At Risk", "reason": "reports fell to 2",
            "threshold": "Less than 3 times in 30 days", "description":
            "Value becomes At Risk: less than 3 times in 30 days", "unless": "one more report"}]'
    from flag_states f join companies c on c.organization_id = %(org)s and c.id = f.company_id
    where f.organization_id = %(org)s and f.flag = 'Value' and f.due_at is not null
"""
_OUTCOMES = """
    insert into outcomes (organization_id, company_id, kind, day, amount, note, entered_by,
        entered_at, changed_at)
    select %(org)s, id, (array['left', 'renewed', 'grew', 'left'])[1 + id %% 4],
        (%(now)s::timestamptz - interval '1 day' * (id %% 360))::date, id %% 1000, '', 'bench',
        %(now)s, %(now)s
    from companies where organization_id = %(org)s and id %% 5 = 0
"""
_DELIVERIES = """
    with endpoint as (
        insert into webhook_endpoints (id, organization_id, url, encrypted_secret)
        values (gen_random_uuid(), %(org)s, 'https://example.com/hooks', '') returning id
    )
    insert into deliveries (id, organization_id, endpoint_id, transition_id, message_id, payload,
        state, attempts, tries, created_at, finished_at)
    select gen_random_uuid(), %(org)s, endpoint.id, t.id, 'msg_' || t.id,
        jsonb_build_object('event', 'company.health_changed', 'company', t.company_id,
            'data', jsonb_build_object('status', t.to_status, 'changes', t.changes)),
        case when t.company_id %% 1000 = 0 then 'failed' else 'delivered' end, 1, 1,
        t.recorded_at, t.recorded_at + interval '1 second'
    from transitions t cross join endpoint where t.organization_id = %(org)s
"""
_ATTEMPTS = """
    insert into delivery_attempts (delivery_id, attempt, organization_id, at, duration_ms,
        status_code)
    select id, 1, organization_id, finished_at, 250, case state when 'failed' then 500 else 204 end
    from deliveries where organization_id = %(org)s
"""
_FIELD_CHANGES = """
    insert into field_changes (organization_id, company_id, field, at, value)
    select %(org)s, c.id, f.key, c.first_seen_at, f.value
    from companies c cross join lateral jsonb_each(c.traits) f where c.organization_id = %(org)s
"""


def fill(organization_id: int, now: datetime, *, companies: int, events: int) -> None:
    """Fill an organization, whose rules are `RULES` as version 1, with a year of data.

    Runs in the current transaction; call `vacuum` afterwards.
    """
    parameters = {
        "org": organization_id,
        "now": now,
        "companies": companies,
        "events": events,
        "users": USERS,
        "plans": list(PLANS),
        "keys": list(EVENT_KEYS),
        "key_count": len(EVENT_KEYS),
        "busiest": BUSIEST,
        "flags": list(FLAGS),
    }
    execute("select setseed(0.5)")
    for statement in (
        _COMPANIES,
        _WORK_ITEMS,
        _USERS,
        _FLAG_STATES,
        _TRANSITIONS,
        _RUNS,
        _RUNS_ARE_DERIVED,
        _FORECAST,
        _UPCOMING_CHANGES,
        _OUTCOMES,
        _DELIVERIES,
        _ATTEMPTS,
        _FIELD_CHANGES,
    ):
        execute(statement, parameters)
    with _without_indexes("events"):
        execute(_EVENTS, parameters)
    hourly_counts.recount(organization_id, now)


def vacuum() -> None:
    """Vacuum the tables as PostgreSQL would soon do by itself; not in a transaction."""
    with database.connection_context():
        for table in (
            "companies",
            "work_items",
            "users",
            "events",
            "flag_states",
            "transitions",
            "flag_runs",
            "upcoming_changes",
            "outcomes",
            "deliveries",
            "delivery_attempts",
            "field_changes",
            "event_counts",
            "event_weeks",
        ):
            execute(f"vacuum (analyze) {table}")


@contextmanager
def _without_indexes(table: str) -> Iterator[None]:
    """Create a table's indexes after a block that fills it, which is far faster; keep the key."""
    indexes = query(
        "select indexname, indexdef from pg_indexes where tablename = %(table)s"
        " and indexname not like '%%_pkey'",
        {"table": table},
    )
    for index in indexes:
        execute(f"drop index {index['indexname']}")
    yield
    for index in indexes:
        execute(index["indexdef"])
