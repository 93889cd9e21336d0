-- Users, and their companies, by the beginning of an email or of its domain, as people search for them.
create index concurrently if not exists users_by_email
    on users (organization_id, (lower(email) collate "C"), company_id) where email is not null;

create index concurrently if not exists users_by_email_domain
    on users (organization_id, (lower(split_part(email, '@', 2)) collate "C"), company_id) where email is not null;
