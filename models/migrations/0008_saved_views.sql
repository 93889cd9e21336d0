-- Filters of the list of companies that people keep under a name: for themselves, or shared.

create table saved_views (
    id              bigint generated always as identity primary key,
    organization_id bigint not null references organizations,
    person_id       bigint not null references people,   -- who made it
    name            text not null,
    query           text not null,                       -- as it stands in the list's address
    shared          boolean not null,                    -- with everybody in the organization
    created_at      timestamptz not null default now()
);
create unique index saved_views_shared on saved_views (organization_id, lower(name)) where shared;
create unique index saved_views_of_person on saved_views (organization_id, person_id, lower(name))
    where not shared;
