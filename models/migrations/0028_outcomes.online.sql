-- What became of companies: they left, renewed, grew or shrank on a day. One outcome of a kind for a company and a day.
create table if not exists outcomes (
    organization_id bigint not null,
    id bigint generated always as identity,
    company_id bigint not null,
    kind text not null,
    day date not null,
    amount numeric(18, 2),
    note text not null,
    entered_by text not null,
    entered_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (organization_id, id),
    constraint outcomes_company_fkey foreign key (organization_id, company_id) references companies (organization_id, id)
);

create unique index concurrently if not exists outcomes_of_company on outcomes (organization_id, company_id, kind, day);

create index concurrently if not exists outcomes_by_day on outcomes (organization_id, day desc, id desc);

-- When each flag of a company was raised and cleared, derived from the transitions; the flag '' is the company's status.
create table if not exists flag_runs (
    organization_id bigint not null,
    company_id bigint not null,
    flag text not null,
    raised_at timestamptz not null,
    cleared_at timestamptz,
    primary key (organization_id, company_id, flag, raised_at)
);

create index concurrently if not exists flag_runs_by_flag on flag_runs (organization_id, flag, raised_at, company_id);

-- The day on which a company left, unless something else happened later; and the transition up to which its `flag_runs`
-- are derived, less than 0 if all of them are to be derived again.
alter table companies
    add column if not exists left_on date,
    add column if not exists runs_sequence bigint not null default 0;

create index concurrently if not exists companies_with_stale_runs on companies (organization_id, id)
    where runs_sequence <> sequence;

create index concurrently if not exists companies_that_left on companies (organization_id, left_on)
    where left_on is not null;
