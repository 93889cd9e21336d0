-- The definition of the score changed: the clock evaluates every company once. Rows without their raised flags are
-- among them, so they need no index of their own.

alter table companies add column if not exists evaluation_revision smallint not null default 1;

alter table companies alter column evaluation_revision set default 2;

create index concurrently if not exists companies_of_older_revisions on companies (organization_id)
    where evaluation_revision < 2;

drop index concurrently if exists companies_without_raised;
