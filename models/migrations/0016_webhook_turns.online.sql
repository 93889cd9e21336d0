-- Circuits that a refused delivery cannot keep open: probes refused in a row since a pause.

alter table webhook_endpoints add column if not exists refusals integer not null default 0;

-- Due deliveries, and the parked ones that the clock looks at.

create index concurrently if not exists deliveries_due_at on deliveries (next_attempt_at)
    where state = 'waiting' and next_attempt_at is not null;
