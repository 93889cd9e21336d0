-- So that storing an event of the recent past, which says what was known anyway, need not look
-- into the history of its fields.

alter table companies add column fields_changed_at jsonb not null default '{}'; -- field -> its newest entry in field_changes
update companies c set fields_changed_at = f.newest from (
    select company_id, jsonb_object_agg(field, (extract(epoch from at) * 1000000)::bigint) as newest
    from (select company_id, field, max(at) as at from field_changes group by 1, 2) latest
    group by 1) f
where c.id = f.company_id;
