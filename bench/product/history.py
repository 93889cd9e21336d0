"""The initial data of a benchmark: rules, and healthy customers with a past."""

from bench.load.traffic import EVENT_KEYS, PLANS, USERS
from bench.product.brazebee_up import Product

ALARM = "alarm"
"""An event key; a single event changes a company's health."""

RULES = f"""\
version: 1
statuses: [Healthy, At Risk]
events: {{{ALARM}: , {": , ".join(EVENT_KEYS)}: }}
flags:
  - {{flag: Signing in, event: login, when: {{At Risk: less than 3 times in 30 days}}}}
  - {{flag: Gone quiet, event: any, when: {{At Risk: no activity for 14 days}}}}
  - {{flag: Value, event: report_created, when: {{At Risk: less than 2 times in 60 days}}}}
  - {{flag: Hitting limits, event: api_limit_reached,
     when: {{At Risk: at least 100 times in 1 hour}}}}
  - {{flag: Alarm, event: {ALARM}, when: {{At Risk: at least 1 time in 1 day}}}}
"""
BY_TIME = ("Signing in", "Gone quiet", "Value")
BY_EVENT = ("Hitting limits", "Alarm")

_COMPANIES = """
    insert into companies (organization_id, external_id, name, traits, fields_at,
        fields_changed_at, last_event_at, said, said_since, first_seen_at, health_status,
        judged_version, awaiting)
    select %(org)s, 'c' || n, 'Company ' || n, jsonb_build_object('plan', plan, 'seats', seats),
        '{"name": null, "plan": null, "seats": null}',
        jsonb_build_object('name', micros, 'plan', micros, 'seats', micros),
        now() - interval '2 days',
        substr(encode(sha256(format('[{"name":"Company %%s","plan":"%%s","seats":%%s}]',
            n, plan, seats)::bytea), 'hex'), 1, 32)::uuid,
        first, first, 'Healthy', 1, %(by_event)s
    from generate_series(0, %(companies)s - 1) n,
        lateral (select (%(plans)s::text[])[1 + n %% 4] as plan, 5 + n %% 90 as seats) f,
        lateral (select now() - interval '90 days' as first) t,
        lateral (select (extract(epoch from first) * 1000000)::bigint as micros) m
"""
_FIELD_CHANGES = """
    insert into field_changes (organization_id, company_id, field, at, value)
    select organization_id, id, field, first_seen_at, value
    from companies cross join lateral jsonb_each(traits || jsonb_build_object('name', name)) as
        fields (field, value)
    where organization_id = %(org)s
"""
_USERS = """
    insert into users (organization_id, external_id, company_id, company_at, email, name,
        fields_at, said, first_seen_at)
    select %(org)s, u, c.id, c.last_event_at, u || '@example.com', 'User ' || u,
        '{"email": null, "name": null}',
        substr(encode(sha256(format('[{"email":"%%s@example.com","name":"User %%s"},%%s]',
            u, u, c.id)::bytea), 'hex'), 1, 32)::uuid,
        c.first_seen_at
    from companies c cross join generate_series(0, %(users)s - 1) k,
        lateral (select 'u' || substr(c.external_id, 2) || '-' || k u) t
    where organization_id = %(org)s
"""
# Each company's first events are those that its flags require; the last one is 2 days old.
_EVENTS = """
    insert into events (organization_id, event_id, company_id, event_key, occurred_at, received_at,
        data)
    select %(org)s, 'past-' || n, c.first + n %% %(companies)s,
        case when n / %(companies)s < 3 then 'login' when n / %(companies)s < 5
            then 'report_created' else (%(keys)s::text[])[1 + n %% %(key_count)s] end,
        moment, moment, '{"source": "web", "session_id": "0123456789abcdef", "duration_ms": 1234}'
    from generate_series(0, %(events)s - 1) n,
        lateral (
            select now() - interval '10 days' + n * (interval '8 days' / %(events)s) as moment) t,
        lateral (select min(id) first from companies where organization_id = %(org)s offset 0) c
"""
_FLAG_STATES = """
    insert into flag_states (organization_id, company_id, flag, status, changed_at, due_at)
    select %(org)s, c.id, flag, 'Healthy', c.first_seen_at,
        case when flag = any(%(by_time)s) then now() + interval '3 days' end
    from companies c cross join unnest(%(flags)s::text[]) flag
    where c.organization_id = %(org)s
"""


def fill(product: Product, organization_id: int, *, companies: int, events: int) -> None:
    """Fill an organization, whose rules are version 1, with companies, users and events."""
    parameters = {
        "org": organization_id,
        "companies": companies,
        "events": events,
        "users": USERS,
        "plans": list(PLANS),
        "keys": list(EVENT_KEYS),
        "key_count": len(EVENT_KEYS),
        "by_time": list(BY_TIME),
        "by_event": list(BY_EVENT),
        "flags": [*BY_TIME, *BY_EVENT],
    }
    for statement in (_COMPANIES, _FIELD_CHANGES, _USERS, _EVENTS, _FLAG_STATES):
        product.query(statement, **parameters)
    vacuum(product)


def vacuum(product: Product) -> None:
    """Vacuum the tables, so that autovacuum does not disturb the next measurement."""
    for table in ("companies", "field_changes", "users", "events", "flag_states"):
        product.query(f"vacuum (analyze) {table}")
