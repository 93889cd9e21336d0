-- A page by name of the companies at one status walks the names alone, however rare the status is.
drop index companies_by_name;
create index companies_by_name on companies (organization_id, searched, id)
    include (health_status);

-- Counting companies reads an index alone only where no page of the table was written to since it was
-- vacuumed; by default that waits for a fifth of all companies. Room in each page keeps a company
-- that had an event where it is, so that no index is touched and vacuuming them has nothing to do.
alter table companies set (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);
