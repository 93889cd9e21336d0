-- Indexes that also have what is read with their keys, so that lists of many need no row of the tables.
create index concurrently if not exists companies_by_status_with_value
    on companies (organization_id, health_status, status_since, id) include (value);

drop index concurrently if exists companies_by_status;

-- PostgreSQL reads an index of an expression alone only if the index has the column of the expression too.
create index concurrently if not exists users_by_email_alone
    on users (organization_id, (lower(email) collate "C"), company_id) include (email) where email is not null;

drop index concurrently if exists users_by_email;

create index concurrently if not exists users_by_email_domain_alone
    on users (organization_id, (lower(split_part(email, '@', 2)) collate "C"), company_id) include (email)
    where email is not null;

drop index concurrently if exists users_by_email_domain;

-- Changes that somebody was notified of, by when.
create index concurrently if not exists transitions_by_recording
    on transitions (organization_id, recorded_at desc) where cause <> 'import';
