-- Most events say of their company and user what the newest before them said: then only the time of
-- the newest event moves. And which flags an event can change stands where it is locked anyway.

alter table companies alter column last_event_at drop expression;
alter table companies
    add column said uuid,               -- fingerprint of what the newest event said of its fields
    add column said_since timestamptz,  -- since when that has been said
    add column awaiting text[] not null default '{}';
comment on column companies.fields_at is
    'field -> microseconds since 1970 of the newest event that carried it; null: as of last_event_at';
update companies c set awaiting = f.flags from (
    select company_id, array_agg(flag) as flags from flag_states where awaits_event group by 1
) f where f.company_id = c.id;
alter table flag_states drop column awaits_event;

alter table users add column said uuid;
comment on column users.fields_at is
    'field -> microseconds since 1970 of the newest event that carried it; null: as of company_at';

-- Room in each page keeps a user who had an event where it is, so that no index is touched.
alter table users set (fillfactor = 90);
-- Nothing ever looked for users by their fields.
drop index users_by_traits;
