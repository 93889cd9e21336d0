-- The former keys and indexes, which processes of the release before needed beside those of 0015.

alter table users drop constraint if exists users_company_id_fkey;

alter table company_notes drop constraint if exists company_notes_company_id_fkey;

alter table field_changes drop constraint if exists field_changes_company_id_fkey;

alter table flag_states drop constraint if exists flag_states_company_id_fkey;

alter table flag_overrides drop constraint if exists flag_overrides_company_id_fkey;

alter table transitions drop constraint if exists transitions_company_id_fkey;

alter table deliveries drop constraint if exists deliveries_endpoint_id_fkey,
    drop constraint if exists deliveries_transition_id_fkey;

alter table delivery_attempts drop constraint if exists delivery_attempts_delivery_id_fkey;

do $$ begin
    if to_regclass('companies_key') is not null then
        alter table companies drop constraint companies_pkey;
        alter table companies add constraint companies_pkey primary key using index companies_key;
    end if;
end $$;

do $$ begin
    if to_regclass('users_key') is not null then
        alter table users drop constraint users_pkey;
        alter table users add constraint users_pkey primary key using index users_key;
    end if;
end $$;

do $$ begin
    if to_regclass('company_notes_key') is not null then
        alter table company_notes drop constraint company_notes_pkey;
        alter table company_notes add constraint company_notes_pkey primary key using index company_notes_key;
    end if;
end $$;

do $$ begin
    if to_regclass('field_changes_key') is not null then
        alter table field_changes drop constraint field_changes_pkey;
        alter table field_changes add constraint field_changes_pkey primary key using index field_changes_key;
    end if;
end $$;

do $$ begin
    if to_regclass('flag_states_key') is not null then
        alter table flag_states drop constraint flag_states_pkey;
        alter table flag_states add constraint flag_states_pkey primary key using index flag_states_key;
    end if;
end $$;

do $$ begin
    if to_regclass('flag_overrides_key') is not null then
        alter table flag_overrides drop constraint flag_overrides_pkey;
        alter table flag_overrides add constraint flag_overrides_pkey primary key using index flag_overrides_key;
    end if;
end $$;

do $$ begin
    if to_regclass('transitions_key') is not null then
        alter table transitions drop constraint transitions_pkey;
        alter table transitions add constraint transitions_pkey primary key using index transitions_key;
    end if;
end $$;

do $$ begin
    if to_regclass('api_keys_key') is not null then
        alter table api_keys drop constraint api_keys_pkey;
        alter table api_keys add constraint api_keys_pkey primary key using index api_keys_key;
    end if;
end $$;

do $$ begin
    if to_regclass('audit_log_key') is not null then
        alter table audit_log drop constraint audit_log_pkey;
        alter table audit_log add constraint audit_log_pkey primary key using index audit_log_key;
    end if;
end $$;

do $$ begin
    if to_regclass('saved_views_key') is not null then
        alter table saved_views drop constraint saved_views_pkey;
        alter table saved_views add constraint saved_views_pkey primary key using index saved_views_key;
    end if;
end $$;

do $$ begin
    if to_regclass('webhook_endpoints_key') is not null then
        alter table webhook_endpoints drop constraint webhook_endpoints_pkey;
        alter table webhook_endpoints add constraint webhook_endpoints_pkey primary key using index webhook_endpoints_key;
    end if;
end $$;

do $$ begin
    if to_regclass('deliveries_key') is not null then
        alter table deliveries drop constraint deliveries_pkey;
        alter table deliveries add constraint deliveries_pkey primary key using index deliveries_key;
    end if;
end $$;

do $$ begin
    if to_regclass('delivery_attempts_key') is not null then
        alter table delivery_attempts drop constraint delivery_attempts_pkey;
        alter table delivery_attempts add constraint delivery_attempts_pkey primary key using index delivery_attempts_key;
    end if;
end $$;

do $$ begin
    if to_regclass('rejected_events_key') is not null then
        alter table rejected_events alter column organization_id set not null;
        alter table rejected_events drop constraint rejected_events_pkey;
        alter table rejected_events
            add constraint rejected_events_pkey primary key using index rejected_events_key;
    end if;
end $$;

alter table api_keys drop constraint if exists api_keys_sha256_key;

alter table transitions drop constraint if exists transitions_company_id_sequence_key;

alter table deliveries drop constraint if exists deliveries_endpoint_id_transition_id_key;

drop index concurrently if exists flag_overrides_in_force;

drop index concurrently if exists flag_overrides_open;

drop index concurrently if exists events_by_key;

drop index concurrently if exists events_by_time;

drop index concurrently if exists events_by_user;

drop index concurrently if exists users_of_company;

drop index concurrently if exists company_notes_of_company;

drop index concurrently if exists deliveries_in_flight;

drop index concurrently if exists deliveries_of_endpoint;

drop index concurrently if exists deliveries_of_transition;

drop index concurrently if exists deliveries_parked;

drop index concurrently if exists delivery_attempts_by_time;

drop index concurrently if exists api_keys_of_organization;

do $$ begin
    drop trigger if exists convert_rejected_event on rejected_events;
    drop function if exists convert_rejected_event;
    alter table rejected_events drop column if exists message;
end $$;

drop index concurrently if exists deliveries_due;
