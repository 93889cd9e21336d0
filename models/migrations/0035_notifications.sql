-- Notifications to people: where they are sent, the messages, and the changes of health that each message is about.
create table notification_destinations (
    organization_id bigint not null references organizations,
    id uuid not null,
    service text not null,                        -- slack or teams
    name text not null,                           -- as rule files name it
    host text not null,
    encrypted_url text not null,
    created_at timestamptz not null,
    blocked_until timestamptz,                    -- nothing is sent before
    failures integer not null default 0,          -- in a row
    failing_since timestamptz,
    last_error text,                              -- null after a success
    last_success_at timestamptz,
    disabled_at timestamptz,
    disabled_because text,
    primary key (organization_id, id),
    unique (organization_id, service, name)
);

create table notification_messages (
    organization_id bigint not null references organizations,
    id uuid not null,
    service text not null,                        -- slack, teams or email
    recipient text not null,                      -- the name of a destination, an address, or with to_owner an owner
    to_owner boolean not null,
    schedule text not null,                       -- of the entry, in words; a test has none
    zone text,                                    -- the time zone of the entry
    rules_version integer,                        -- that caused all of its changes
    state text not null,                          -- open, waiting, sent, failed or cancelled
    opened_at timestamptz not null,
    planned_at timestamptz not null,              -- when it is to be sent by the schedule
    due_at timestamptz,                           -- of the next attempt; with a lease, its end
    lease_token uuid,
    number integer not null default 0,            -- of changes, once it is closed
    content jsonb,                                -- what it says, once it is closed
    attempts integer not null default 0,
    last_error text,
    finished_at timestamptz,
    primary key (organization_id, id)
);
create unique index notification_messages_open on notification_messages
    (organization_id, service, recipient, to_owner, schedule, coalesce(rules_version, 0)) where state = 'open';
create index notification_messages_due on notification_messages (due_at) where state in ('open', 'waiting');
create index notification_messages_planned on notification_messages (organization_id, service, recipient, planned_at);
create index notification_messages_newest on notification_messages (organization_id, opened_at, id);

create table notification_changes (
    organization_id bigint not null,
    message_id uuid not null,
    transition_id uuid not null,                  -- which an import may have replaced since
    company_id bigint not null,
    at timestamptz not null,
    from_status text not null,
    to_status text not null,
    changes jsonb not null,
    primary key (organization_id, message_id, transition_id),
    foreign key (organization_id, message_id) references notification_messages on delete cascade
);
