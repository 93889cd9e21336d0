-- When a company was last evaluated, by the clock of the database: forecasts of it that are older are made again.
alter table companies add column if not exists evaluated_at timestamptz;

create index concurrently if not exists companies_by_evaluation on companies (organization_id, evaluated_at);

-- How far the forecast of an organization's companies is up to date, and the refresh of it that is in progress.
create table if not exists forecasts (
    organization_id bigint primary key references organizations,
    asked_at timestamptz not null,
    as_of timestamptz,
    evaluated_until timestamptz,
    complete_at timestamptz,
    finished_at timestamptz,
    refresh_at timestamptz,
    refresh_until timestamptz,
    refresh_since timestamptz,
    refresh_after bigint
);

-- The changes of status that time alone will cause. Each row sums up the changes of its company up to its own, so that
-- one row for each company answers what happens up to an instant.
create table if not exists upcoming_changes (
    organization_id bigint not null references forecasts,
    company_id bigint not null,
    at timestamptz not null,
    superseded_at timestamptz not null,
    direction smallint not null,
    from_status text not null,
    worst_status text not null,
    worst_at timestamptz not null,
    to_status text not null,
    owner text,
    value numeric(18, 2),
    cause text not null,
    flags jsonb not null,
    primary key (organization_id, company_id, at)
);

create index concurrently if not exists upcoming_changes_in_order
    on upcoming_changes (organization_id, direction, worst_at, company_id);
