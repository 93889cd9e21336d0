-- A raised flag of a company as something to do: a work item, from when the flag is raised until it recovers. An item is
-- changed only while its company's row is locked. `owner`, `value` and `renews_on` are those of the company until the item
-- is closed: a list that is sorted by them could not read 100,000 companies.

create table if not exists work_items (
    id              bigint generated always as identity,
    organization_id bigint not null references organizations,
    company_id      bigint not null,
    flag            text not null,
    status          text not null,                       -- what the flag counts as, or would without a snooze
    snoozed         boolean not null,                    -- raised, and a person's override hides it
    state           text not null default 'open',        -- open, seen, working or done
    raised_at       timestamptz not null,
    opened_at       timestamptz not null,                -- when people could first see it
    worse_since     timestamptz,                         -- since when it has had a worse status than at first
    worse_from      text,                                -- the status before
    touched_at      timestamptz,                         -- when somebody first did something about it
    assignee_id     bigint references people,            -- null: whoever the company's owner is
    next_step       text,
    due_on          date,
    owner           text,
    value           numeric(18, 2),
    renews_on       date,
    closed_at       timestamptz,
    closed_because  text,                                -- recovery, not_applicable, rules, flag_removed or override
    worth           bigint not null generated always as (coalesce((value * 100)::bigint, -9000000000000000000)) stored,
    primary key (organization_id, id),
    constraint work_items_company_fkey foreign key (organization_id, company_id) references companies (organization_id, id)
);

create unique index if not exists work_items_of_raised_flags on work_items (organization_id, company_id, flag)
    where closed_at is null;

create index if not exists work_items_of_companies on work_items (organization_id, company_id, raised_at desc, id desc);

create index if not exists work_items_to_do on work_items (organization_id, status, worth desc, id desc)
    where closed_at is null and not snoozed and state <> 'done';

create index if not exists work_items_of_owners on work_items (organization_id, lower(owner))
    where closed_at is null and assignee_id is null;

create index if not exists work_items_of_assignees on work_items (organization_id, assignee_id)
    where closed_at is null and assignee_id is not null;

create index if not exists work_items_opened on work_items (organization_id, opened_at)
    include (touched_at, assignee_id, owner);

-- What people did about items, and what reopened them. `batch` is shared by the changes of one action on many.

create table if not exists work_item_changes (
    id              bigint generated always as identity,
    organization_id bigint not null references organizations,
    item_id         bigint not null,
    company_id      bigint not null,
    at              timestamptz not null,
    person_id       bigint references people,            -- null: an API key, or the product itself
    made_by         text not null,
    action          text not null,
    detail          jsonb not null default '{}',
    batch           uuid,
    primary key (organization_id, id),
    constraint work_item_changes_item_fkey foreign key (organization_id, item_id)
        references work_items (organization_id, id)
);

create index if not exists work_item_changes_of_items on work_item_changes (organization_id, item_id, id);

create index if not exists work_item_changes_of_companies
    on work_item_changes (organization_id, company_id, at desc, id desc);

create index if not exists work_item_changes_of_batches on work_item_changes (organization_id, batch, item_id)
    where batch is not null;

-- The clock evaluates every company once, so that flags that are raised already get their items.

alter table companies alter column evaluation_revision set default 3;

drop index concurrently if exists companies_of_older_revisions;

create index concurrently if not exists companies_of_older_revisions on companies (organization_id)
    where evaluation_revision < 3;
