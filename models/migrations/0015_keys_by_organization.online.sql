-- Every key begins with organization_id, and so does every index by which the rows of one
-- organization are found: the rows of an organization can be one shard. The former keys and indexes
-- stay until 0019, because processes of the release before need them.

create unique index concurrently if not exists companies_key on companies (organization_id, id);

create unique index concurrently if not exists users_key on users (organization_id, id);

create unique index concurrently if not exists company_notes_key on company_notes (organization_id, id);

create unique index concurrently if not exists field_changes_key
    on field_changes (organization_id, company_id, field, at);

create unique index concurrently if not exists flag_states_key
    on flag_states (organization_id, company_id, flag);

create unique index concurrently if not exists flag_overrides_key on flag_overrides (organization_id, id);

create unique index concurrently if not exists transitions_key on transitions (organization_id, id);

create unique index concurrently if not exists transitions_in_sequence
    on transitions (organization_id, company_id, sequence);

create unique index concurrently if not exists api_keys_key on api_keys (organization_id, id);

create unique index concurrently if not exists api_keys_of_organization_by_digest
    on api_keys (organization_id, sha256);

create unique index concurrently if not exists audit_log_key on audit_log (organization_id, id);

create unique index concurrently if not exists saved_views_key on saved_views (organization_id, id);

create unique index concurrently if not exists webhook_endpoints_key on webhook_endpoints (organization_id, id);

create unique index concurrently if not exists deliveries_key on deliveries (organization_id, id);

create unique index concurrently if not exists deliveries_once
    on deliveries (organization_id, endpoint_id, transition_id);

create unique index concurrently if not exists delivery_attempts_key
    on delivery_attempts (organization_id, delivery_id, attempt);

create unique index concurrently if not exists flag_overrides_in_force_now
    on flag_overrides (organization_id, company_id, flag) where ended_at is null;

create unique index concurrently if not exists rejected_events_key on rejected_events (organization_id, id);

create index concurrently if not exists api_keys_by_digest on api_keys (sha256);

create index concurrently if not exists rule_versions_by_time on rule_versions (applied_at);

create index concurrently if not exists events_of_company_by_key
    on events (organization_id, company_id, event_key, occurred_at desc);

create index concurrently if not exists events_of_company_by_time
    on events (organization_id, company_id, occurred_at desc);

create index concurrently if not exists events_of_company_by_user
    on events (organization_id, company_id, event_key, user_id, occurred_at desc)
    where user_id is not null;

create index concurrently if not exists users_by_company on users (organization_id, company_id);

create index concurrently if not exists company_notes_newest_first
    on company_notes (organization_id, company_id, at desc, id desc);

create index concurrently if not exists flag_overrides_to_record
    on flag_overrides (organization_id, company_id) where not end_recorded;

create index concurrently if not exists deliveries_leased
    on deliveries (organization_id, endpoint_id) where lease_token is not null;

create index concurrently if not exists deliveries_of_endpoint_newest_first
    on deliveries (organization_id, endpoint_id, created_at desc);

create index concurrently if not exists deliveries_by_transition
    on deliveries (organization_id, transition_id);

create index concurrently if not exists deliveries_in_turn
    on deliveries (organization_id, endpoint_id, by_hand nulls first, id)
    where state = 'waiting' and parked;

create index concurrently if not exists delivery_attempts_of_organization
    on delivery_attempts (organization_id, at);

alter table users drop constraint if exists users_company_fkey,
    add constraint users_company_fkey foreign key (organization_id, company_id)
    references companies (organization_id, id) not valid;

alter table users validate constraint users_company_fkey;

alter table company_notes drop constraint if exists company_notes_company_fkey,
    add constraint company_notes_company_fkey foreign key (organization_id, company_id)
    references companies (organization_id, id) not valid;

alter table company_notes validate constraint company_notes_company_fkey;

alter table field_changes drop constraint if exists field_changes_company_fkey,
    add constraint field_changes_company_fkey foreign key (organization_id, company_id)
    references companies (organization_id, id) not valid;

alter table field_changes validate constraint field_changes_company_fkey;

alter table flag_states drop constraint if exists flag_states_company_fkey,
    add constraint flag_states_company_fkey foreign key (organization_id, company_id)
    references companies (organization_id, id) not valid;

alter table flag_states validate constraint flag_states_company_fkey;

alter table flag_overrides drop constraint if exists flag_overrides_company_fkey,
    add constraint flag_overrides_company_fkey foreign key (organization_id, company_id)
    references companies (organization_id, id) not valid;

alter table flag_overrides validate constraint flag_overrides_company_fkey;

alter table transitions drop constraint if exists transitions_company_fkey,
    add constraint transitions_company_fkey foreign key (organization_id, company_id)
    references companies (organization_id, id) not valid;

alter table transitions validate constraint transitions_company_fkey;

alter table deliveries drop constraint if exists deliveries_endpoint_fkey,
    add constraint deliveries_endpoint_fkey foreign key (organization_id, endpoint_id)
    references webhook_endpoints (organization_id, id) not valid;

alter table deliveries validate constraint deliveries_endpoint_fkey;

alter table deliveries drop constraint if exists deliveries_transition_fkey,
    add constraint deliveries_transition_fkey foreign key (organization_id, transition_id)
    references transitions (organization_id, id) not valid;

alter table deliveries validate constraint deliveries_transition_fkey;

alter table delivery_attempts drop constraint if exists delivery_attempts_delivery_fkey,
    add constraint delivery_attempts_delivery_fkey foreign key (organization_id, delivery_id)
    references deliveries (organization_id, id) not valid;

alter table delivery_attempts validate constraint delivery_attempts_delivery_fkey;
