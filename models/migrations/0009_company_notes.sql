-- What people write down about a company, and the score that each change of its health left it with.

create table company_notes (
    id              bigint generated always as identity primary key,
    organization_id bigint not null references organizations,
    company_id      bigint not null references companies,
    person_id       bigint not null references people,
    at              timestamptz not null,
    text            text not null,
    edited_at       timestamptz
);
create index company_notes_of_company on company_notes (company_id, at desc, id desc);

alter table transitions
    add column score integer;                            -- null too for those of before this column
