-- The zone of the IANA database in which a person sees times. Null until they choose one or sign in with a browser that
-- reports one: UTC.
alter table people add column time_zone text;
