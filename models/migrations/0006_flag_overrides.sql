-- Flags of companies that count otherwise than they are judged, for a while: snoozed, or as a
-- status that somebody chose. Rows are kept when they are over.

create table flag_overrides (
    id              bigint generated always as identity primary key,
    organization_id bigint not null references organizations,
    company_id      bigint not null references companies,
    flag            text not null,
    kind            text not null,                       -- snooze or override
    status          text,                                -- as which it counts; null for a snooze
    reason          text not null,
    owner           text not null,
    made_by         text not null,
    starts_at       timestamptz not null,
    ends_at         timestamptz,                         -- as planned; null is not by itself
    ended_at        timestamptz,                         -- as it came
    ended_by        text,                                -- a person, time or rules
    ended_because   text,
    start_recorded  boolean not null default false,      -- in the company's status and history
    end_recorded    boolean not null default false,
    due_at          timestamptz generated always as (
        case when end_recorded then null
             when start_recorded then coalesce(ended_at, ends_at)
             else starts_at end) stored                  -- what is to be recorded next is, then
);
create unique index flag_overrides_in_force on flag_overrides (company_id, flag)
    where ended_at is null;
create index flag_overrides_open on flag_overrides (company_id) where not end_recorded;
create index flag_overrides_due on flag_overrides (due_at) where due_at is not null;
create index flag_overrides_of_organization on flag_overrides (organization_id, starts_at);
