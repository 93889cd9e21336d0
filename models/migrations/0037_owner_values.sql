-- The values of the field `owner` that mean a member besides their email, in the order in which they were written.
alter table memberships add column owner_values text[] not null default '{}';
