-- Endpoints that are isolated from each other, disabled and enabled, subscribed to what they want,
-- and whose secrets are rotated; deliveries that wait for their turn, are tested and sent again.

alter table webhook_endpoints
    add column event_types text[],                       -- null is all
    add column statuses text[],                          -- only changes to these; null is all
    add column companies text[],                         -- the clients' own ids; null is all
    add column company_fields jsonb,                     -- field -> wanted values; null is any
    add column disabled_at timestamptz,
    add column disabled_because text,
    add column failures integer not null default 0,      -- in a row
    add column failing_since timestamptz,                -- the first failure since a success
    add column warned_at timestamptz,                    -- somebody was told that it fails
    add column probe_at timestamptz,                     -- null while the circuit is closed
    add column probe_pause interval,                     -- what the next failed probe doubles
    add column last_success_at timestamptz,
    add column former_encrypted_secret text,             -- signs beside the new one
    add column former_secret_until timestamptz;
create index webhook_endpoints_to_probe on webhook_endpoints (probe_at) where probe_at is not null;

-- `attempts` counts those of the schedule, `tries` all, with probes, tests and what is sent again.
alter table deliveries
    alter column transition_id drop not null,            -- a test tells of none
    add column tries integer not null default 0,
    add column parked boolean not null default false,    -- waits for its endpoint, not for a time
    add column by_hand text;                             -- at once, recovery; null follows the schedule
update deliveries set tries = attempts;

drop index deliveries_due;
create index deliveries_due on deliveries (next_attempt_at) where state = 'waiting' and not parked;
create index deliveries_parked on deliveries (endpoint_id, by_hand nulls first, id)
    where state = 'waiting' and parked;
create index deliveries_in_flight on deliveries (endpoint_id) where lease_token is not null;
create index delivery_attempts_by_time on delivery_attempts (at);
