-- The names by which other products send an event.

alter table event_settings add column called text[] not null default '{}';
