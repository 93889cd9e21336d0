-- Circuits that a refused delivery cannot keep open.

alter table webhook_endpoints
    add column refusals integer not null default 0;      -- probes refused in a row since a pause

-- Due deliveries, and the parked ones that the clock looks at.
create index deliveries_due_at on deliveries (next_attempt_at)
    where state = 'waiting' and next_attempt_at is not null;
