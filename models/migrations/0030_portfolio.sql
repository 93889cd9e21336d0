-- How the figures of an organization changed on which day, UTC: the companies and their value, by status, by raised flag,
-- and of all that are at risk. The sum up to a day is the figure at its end. `name` is that of the status or flag.
create table portfolio_changes (
    organization_id bigint not null,
    kind            text not null,                       -- status, flag or at_risk
    name            text not null,
    day             date not null,
    companies       integer not null,
    value           numeric(24, 2) not null,
    primary key (organization_id, kind, name, day)
);

-- What each company has contributed to these figures: its state at the end of each day on which it changed.
create table portfolio_companies (
    organization_id bigint not null,
    company_id      bigint not null,
    days            jsonb not null,
    primary key (organization_id, company_id)
);

-- Companies whose history changed since they were counted. Only added to, so that nobody waits; read and deleted by one.
create table portfolio_stale (
    organization_id bigint not null,
    company_id      bigint not null
);
create index portfolio_stale_of_organization on portfolio_stale (organization_id);

-- Organizations whose companies are all being counted, up to this id.
create table portfolio_backfills (
    organization_id bigint primary key,
    counted_until   bigint not null default 0
);
insert into portfolio_backfills (organization_id) select id from organizations;
