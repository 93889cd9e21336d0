-- The companies that were judged before `raised` existed, for the clock: a probe, since soon there are none.
create index concurrently companies_without_raised on companies (organization_id) where raised is null;
