-- Backtests of rules over all companies of an organization, which a process runs in the background, one after another.
create table backtests (
    organization_id bigint not null references organizations,
    id bigint generated always as identity,
    state text not null,
    source text not null,
    began_from integer not null,
    since timestamptz not null,
    until timestamptz not null,
    horizon integer not null,
    companies integer not null,
    last_id bigint not null,
    replayed integer not null,
    after_id bigint not null,
    totals jsonb,
    claims integer not null,
    lease_token uuid,
    lease_until timestamptz,
    error text,
    started_by text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    primary key (organization_id, id)
);

create index backtests_unfinished on backtests (organization_id, id) where state in ('waiting', 'running');
