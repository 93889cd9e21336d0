-- So that storing an event of the recent past, which says what was known anyway, need not look
-- into the history of each of its fields.

alter table companies add column fields_changed_at timestamptz; -- no entry of field_changes is newer
update companies c set fields_changed_at =
    (select max(f.at) from field_changes f where f.company_id = c.id);
