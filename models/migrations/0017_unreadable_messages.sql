-- What cannot be stored as an event is kept as it was in the journal, byte for byte, so that it can be retried.
-- What belongs to no organization, as far as can be read, moves from rejected_events to a table of its own.

create table unreadable_messages (
    id           bigint generated always as identity primary key,
    set_aside_at timestamptz not null default now(),
    queue        text not null,
    content      bytea not null,
    reason       text not null,
    journal_id   text unique                         -- its lane and its id there: set aside twice, it is kept once
);

alter table rejected_events
    alter column message drop not null,              -- only the release before writes it
    add column entry bytea[],                        -- its fields and values in the journal: format, content, t, time
    add column journal_id text,
    add column company text,                         -- the client's own ids, if they could be read
    add column event_id text;
create unique index rejected_events_by_journal_id on rejected_events (organization_id, journal_id);

-- The release before writes `message`, with null for the organization if it is not known. `message` is the decoded
-- JSON; or a text, if it was none; or a list of all fields and values, if the format was not known.
create function convert_rejected_event() returns trigger language plpgsql as $$
begin
    new.entry := case
        when new.error = 'an unknown format' and jsonb_typeof(new.message) = 'array' then (
            select array_agg(convert_to(field, 'UTF8') order by number)
            from jsonb_array_elements_text(new.message) with ordinality as fields (field, number)
        )
        when jsonb_typeof(new.message) = 'string' then array['1', convert_to(new.message #>> '{}', 'UTF8')]
        else array['1', convert_to(new.message::text, 'UTF8')]
    end;
    perform from organizations where id = new.organization_id for key share;
    if not found then
        insert into unreadable_messages (set_aside_at, queue, content, reason)
        values (new.rejected_at, 'events', new.entry[2], new.error);
        return null;
    end if;
    new.company := new.message #>> '{company,id}';
    new.event_id := new.message ->> 'event_id';
    new.message := null;
    return new;
end $$;

create trigger convert_rejected_event before insert on rejected_events
for each row when (new.entry is null) execute function convert_rejected_event();

with former as (delete from rejected_events returning *)
insert into rejected_events (id, organization_id, message, error, rejected_at) overriding system value
select id, organization_id, message, error, rejected_at from former order by id;

alter table rejected_events alter column entry set not null;  -- the trigger fires before this is checked
