-- The index with which changes are counted also has whether a company left.
create index concurrently if not exists companies_by_status_and_leaving
    on companies (organization_id, health_status, status_since, id) include (value, left_on);

drop index concurrently if exists companies_by_status_with_value;
