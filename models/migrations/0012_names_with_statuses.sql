-- A page by name of the companies at one status walks the names alone, however rare the status is.

drop index companies_by_name;
create index companies_by_name on companies (organization_id, searched, id)
    include (health_status);
