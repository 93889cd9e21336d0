-- Nobody works on the flags of a company that left: its items are in no list of what is to do.
alter table work_items add column if not exists company_left boolean not null default false;

update work_items i set company_left = true from companies c
where c.organization_id = i.organization_id and c.id = i.company_id and c.left_on is not null and not i.company_left;
