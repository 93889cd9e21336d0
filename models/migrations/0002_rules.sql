-- What richer rules rest on: the history of companies' fields, distinct users, the score, since
-- when phrases with `for` hold; and which version a rollback brought back.

alter table companies add column score smallint;             -- 0 to 100; null if no flag applies

-- What was known of a company's fields when. Only changes are kept: a field that is sent again
-- with the same value adds nothing.
create table field_changes (
    organization_id bigint not null,
    company_id      bigint not null references companies,
    field           text not null,
    at              timestamptz not null,
    value           jsonb,
    primary key (company_id, field, at)
);
-- What is known of companies from before is taken to have been so from their beginning.
insert into field_changes (organization_id, company_id, field, at, value)
    select c.organization_id, c.id, f.key, c.first_seen_at, f.value
    from companies c cross join lateral jsonb_each(c.traits || jsonb_strip_nulls(jsonb_build_object(
        'name', c.name, 'payment_provider', c.payment_provider,
        'payment_provider_id', c.payment_provider_id, 'crm_provider', c.crm_provider,
        'crm_provider_id', c.crm_provider_id))) f;

-- The last time of each user: a walk over users, not over their events.
create index events_by_user on events (company_id, event_key, user_id, occurred_at desc)
    where user_id is not null;

alter table flag_states
    add column moved_at timestamptz,                         -- level or holding last changed then
    add column holding jsonb not null default '{}';          -- status -> since when its phrase holds

alter table rule_versions add column brought_back integer;   -- the version that a rollback repeats
