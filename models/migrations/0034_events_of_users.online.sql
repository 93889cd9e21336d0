-- The events of one user, newest first, in all of its companies.
create index concurrently if not exists events_of_user
    on events (organization_id, user_id, occurred_at desc) where user_id is not null;
