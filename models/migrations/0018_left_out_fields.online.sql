-- Fields of companies and users that are beyond the limits and were left out, for people to see.
-- {"since": the time of the first such event, "names": the first names, "more": whether there are others}

alter table companies add column if not exists left_out jsonb;

alter table users add column if not exists left_out jsonb;

create index concurrently if not exists companies_with_left_out_fields on companies (organization_id, id)
    where left_out is not null;

create index concurrently if not exists users_with_left_out_fields on users (organization_id, id)
    where left_out is not null;
