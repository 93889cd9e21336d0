-- Fields of companies and users that are sent without an event.

-- Until when records of a company were stored that did not come from its own lane of the journal.
alter table companies add column if not exists unordered_until timestamptz;

-- The time of an update that said where the user belongs, if no event did so later: it is `company_at` then, and the
-- newest event is `event_at`, or null. An event that the release before stores makes `company_at` differ from it.
alter table users
    add column if not exists moved_at timestamptz,
    add column if not exists event_at timestamptz;

-- Accepted records of users whose company is not known yet, as they were in the journal.
-- `user_external_id` is the client's own.
create table if not exists waiting_records (
    organization_id bigint not null,
    id bigint generated always as identity,
    user_external_id text not null,
    event_key text,
    event_id text,
    occurred_at timestamptz not null,
    since timestamptz not null,
    entry bytea[] not null,
    primary key (organization_id, id)
);

create index concurrently if not exists waiting_records_by_user on waiting_records
    (organization_id, user_external_id, id);

create unique index concurrently if not exists waiting_records_by_event on waiting_records (organization_id, event_id)
    where event_key is not null;
