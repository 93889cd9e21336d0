-- Who uses the dashboard: people, what they may do in which organization, where they are signed
-- in, and what they changed. People and their sessions belong to no organization: one person may
-- be a member of several.

create table people (
    id              bigint generated always as identity primary key,
    email           text not null,
    name            text not null,
    password_hash   text,                            -- argon2; null for OpenID Connect alone
    created_at      timestamptz not null default now(),
    signed_in_at    timestamptz,                     -- last
    disabled_at     timestamptz
);
create unique index people_by_email on people (lower(email));

create table memberships (
    organization_id bigint not null references organizations,
    person_id       bigint not null references people,
    role            text not null check (role in ('viewer', 'editor', 'administrator')),
    created_at      timestamptz not null default now(),
    primary key (organization_id, person_id)
);
create index memberships_of_person on memberships (person_id);

create table sessions (
    id              bigint generated always as identity primary key,
    person_id       bigint not null references people,
    sha256          bytea not null unique,           -- the token itself is never stored
    created_at      timestamptz not null,
    last_seen_at    timestamptz not null,
    expires_at      timestamptz not null,            -- however busy it is
    address         text not null,
    agent           text not null
);
create index sessions_of_person on sessions (person_id);
create index sessions_by_expiry on sessions (expires_at);

create table audit_log (
    id              bigint generated always as identity primary key,
    organization_id bigint not null references organizations,
    person_id       bigint references people,        -- null for the command line
    made_by         text not null,                   -- the person's email at that time
    at              timestamptz not null,
    action          text not null,
    subject         text not null,
    detail          jsonb not null default '{}'
);
create index audit_log_of_organization on audit_log (organization_id, id desc);
create index audit_log_by_action on audit_log (organization_id, action, id desc);
create index audit_log_by_maker on audit_log (organization_id, made_by, id desc);
