-- Organizations, keys and event settings; companies, users and events; rules, health and its
-- history; webhook endpoints, deliveries and attempts. Every table carries organization_id:
-- it keeps tenants apart, and it is the key to distribute by.

create table organizations (
    id            bigint generated always as identity primary key,
    name          text not null unique,
    rate_limit    text,                      -- such as '20000/hour'; null is the default
    rules_version integer not null default 0, -- 0 until rules are applied
    created_at    timestamptz not null default now()
);

create table api_keys (
    id              bigint generated always as identity primary key,
    organization_id bigint not null references organizations,
    name            text not null,
    sha256          bytea not null unique,   -- the key itself is never stored
    last_four       text not null,
    created_at      timestamptz not null default now(),
    last_used_at    timestamptz,
    revoked_at      timestamptz
);
create index api_keys_of_organization on api_keys (organization_id);

create table event_settings (
    organization_id bigint not null references organizations,
    event_key       text not null,
    name            text not null,
    enabled         boolean not null,
    primary key (organization_id, event_key)
);

create table rule_versions (
    organization_id bigint not null references organizations,
    version         integer not null,
    source          text not null,
    applied_at      timestamptz not null,
    applied_by      text not null,
    primary key (organization_id, version)
);

create table companies (
    id                  bigint generated always as identity primary key,
    organization_id     bigint not null references organizations,
    external_id         text not null,
    name                text not null,
    payment_provider    text,
    payment_provider_id text,
    crm_provider        text,
    crm_provider_id     text,
    traits              jsonb not null default '{}',
    fields_at           jsonb not null default '{}', -- field -> the time of the event that set it
    first_seen_at       timestamptz not null,
    health_status       text not null,
    previous_status     text,
    changed_at          timestamptz,                 -- when health_status last changed
    recorded_until      timestamptz,                 -- the instant of the latest transition
    sequence            bigint not null default 0,   -- of the company's latest transition
    judged_version      integer not null default 0,  -- the rules that its flags were judged by
    unsettled_since     timestamptz,                 -- an event took effect then, not yet judged
    unique (organization_id, external_id)
);
-- `traits @> '{"plan": "Enterprise"}'`, for any custom field.
create index companies_by_traits on companies using gin (traits jsonb_path_ops);
-- What the clock looks for when a message was lost, and after new rules; nearly always empty.
create index companies_unsettled on companies (unsettled_since) where unsettled_since is not null;
create index companies_by_judged_version on companies (organization_id, judged_version);

create table users (
    id              bigint generated always as identity primary key,
    organization_id bigint not null references organizations,
    external_id     text not null,
    company_id      bigint not null references companies,
    company_at      timestamptz not null,            -- the time of the event that said so
    email           text,
    name            text,
    traits          jsonb not null default '{}',
    fields_at       jsonb not null default '{}',
    first_seen_at   timestamptz not null,
    unique (organization_id, external_id)
);
create index users_of_company on users (company_id);
create index users_by_traits on users using gin (traits jsonb_path_ops);

create table events (
    organization_id bigint not null,
    event_id        text not null,
    company_id      bigint not null,
    user_id         bigint,
    event_key       text not null,
    occurred_at     timestamptz not null,
    received_at     timestamptz not null,
    data            jsonb,
    primary key (organization_id, event_id)          -- a repeated message is stored once
);
-- The N-th latest event of one key, and of any key: each a walk over N index entries.
create index events_by_key on events (company_id, event_key, occurred_at desc);
create index events_by_time on events (company_id, occurred_at desc);

create table rejected_events (
    id              bigint generated always as identity primary key,
    organization_id bigint,
    message         jsonb not null,
    error           text not null,
    rejected_at     timestamptz not null default now()
);

create table flag_states (
    organization_id bigint not null,
    company_id      bigint not null references companies,
    flag            text not null,
    status          text,                            -- null is N/A
    changed_at      timestamptz not null,
    due_at          timestamptz,                     -- when time alone may change it
    awaits_event    boolean not null,                -- whether an event may change it
    primary key (company_id, flag)
);
create index flag_states_due on flag_states (due_at) where due_at is not null;

create table transitions (
    id              uuid primary key,
    organization_id bigint not null,
    company_id      bigint not null references companies,
    sequence        bigint not null,
    at              timestamptz not null,
    from_status     text not null,
    to_status       text not null,
    cause           text not null,
    changes         jsonb not null,                  -- the flags that changed: flag, from, to, threshold
    rules_version   integer not null,
    recorded_at     timestamptz not null,
    unique (company_id, sequence)
);
create index transitions_by_time on transitions (organization_id, at desc);

create table webhook_endpoints (
    id               uuid primary key,
    organization_id  bigint not null references organizations,
    url              text not null,
    encrypted_secret text not null,
    created_at       timestamptz not null default now(),
    removed_at       timestamptz
);
create index webhook_endpoints_of_organization on webhook_endpoints (organization_id)
    where removed_at is null;

create table deliveries (
    id              uuid primary key,
    organization_id bigint not null,
    endpoint_id     uuid not null references webhook_endpoints,
    transition_id   uuid not null references transitions,
    message_id      text not null,
    payload         text not null,                   -- the exact bytes to sign and send
    state           text not null,                   -- waiting, delivered, failed, cancelled
    attempts        integer not null default 0,
    next_attempt_at timestamptz,                     -- while waiting; under a lease, its end
    lease_token     uuid,
    created_at      timestamptz not null,
    finished_at     timestamptz,
    unique (endpoint_id, transition_id)
);
create index deliveries_due on deliveries (next_attempt_at) where state = 'waiting';
create index deliveries_of_endpoint on deliveries (endpoint_id, created_at desc);

create table delivery_attempts (
    delivery_id     uuid not null references deliveries,
    attempt         integer not null,
    organization_id bigint not null,
    at              timestamptz not null,
    duration_ms     integer not null,
    status_code     integer,
    error           text,
    response        text,
    primary key (delivery_id, attempt)
);
