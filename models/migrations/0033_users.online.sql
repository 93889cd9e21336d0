-- The events of one user, newest first, in all of its companies.
create index concurrently if not exists events_of_user
    on events (organization_id, user_id, occurred_at desc) where user_id is not null;

-- Users by the beginning of a name, as people search for them.
create index concurrently if not exists users_by_name
    on users (organization_id, (lower(name) collate "C")) where name is not null;
