-- What pages read: companies in every order, what is due of one organization, how often each event
-- came in which hour, and answers that take too long to be worked out while somebody waits.

alter table companies
    add column searched text not null                    -- what people look for; also their order
        generated always as (lower(name || chr(10) || external_id)) stored,
    add column status_since timestamptz not null
        generated always as (coalesce(changed_at, first_seen_at)) stored,
    add column last_event_at timestamptz                 -- every event carries the name
        generated always as (to_timestamp((fields_at -> 'name')::float8 / 1000000)) stored;
create index companies_by_name on companies (organization_id, searched, id);
create index companies_by_status on companies (organization_id, health_status, status_since, id);
create index companies_by_score on companies (organization_id, (coalesce(score, -1)), id);

create index flag_states_by_status on flag_states (organization_id, flag, status, company_id);
create index flag_states_due_of_organization on flag_states (organization_id, due_at, company_id)
    where due_at is not null;

create index deliveries_of_transition on deliveries (transition_id);

-- The events of one key in a stretch of time, of all companies.
create index events_of_organization on events (organization_id, event_key, occurred_at);

-- How many events of a key came in an hour of theirs. Whoever stores events only adds rows to
-- event_arrivals, for which nobody waits; they are moved into event_counts later.
-- What was counted is the sum of both.
create table event_arrivals (
    organization_id bigint not null,
    event_key       text not null,
    hour            timestamptz not null,
    events          bigint not null,
    last_at         timestamptz not null
);
create table event_counts (
    organization_id bigint not null,
    event_key       text not null,
    hour            timestamptz not null,
    events          bigint not null,
    last_at         timestamptz not null,
    primary key (organization_id, event_key, hour)
);

-- How many companies and users were active in a week, which begins on Monday, UTC.
create table event_weeks (
    organization_id bigint not null,
    event_key       text not null,
    week            date not null,
    companies       integer not null default 0,
    users           integer not null default 0,
    counted_at      timestamptz,                         -- null before the first time
    took            interval not null default '0',       -- what counting took then
    touched_at      timestamptz,                         -- events came since, for the first time then
    primary key (organization_id, event_key, week)
);
create index event_weeks_touched on event_weeks (touched_at) where touched_at is not null;

create table insights (
    organization_id bigint not null,
    question        text not null,                       -- its kind and subject, as JSON
    answer          jsonb not null,
    as_of           timestamptz not null,
    took            interval not null,
    primary key (organization_id, question)
);

insert into event_counts (organization_id, event_key, hour, events, last_at)
    select organization_id, event_key, date_trunc('hour', occurred_at, 'UTC'), count(*),
        max(occurred_at)
    from events group by 1, 2, 3;
insert into event_weeks (organization_id, event_key, week, touched_at)
    select distinct organization_id, event_key,
        date_trunc('week', hour at time zone 'UTC')::date, now()
    from event_counts;
