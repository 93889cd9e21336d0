-- The index of what is to do has no items of companies that left.
drop index concurrently if exists work_items_to_do;

create index concurrently if not exists work_items_to_do
    on work_items (organization_id, status, worth desc, id desc)
    where closed_at is null and not snoozed and state <> 'done' and not company_left;
