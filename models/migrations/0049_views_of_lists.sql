-- Saved views of other lists than that of companies; a name is taken among the views of one list.
alter table saved_views add column if not exists list_name text not null default 'companies';

drop index if exists saved_views_shared;
create unique index saved_views_shared on saved_views (organization_id, list_name, lower(name)) where shared;

drop index if exists saved_views_of_person;
create unique index saved_views_of_person on saved_views (organization_id, person_id, list_name, lower(name))
    where not shared;
