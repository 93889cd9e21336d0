-- Circuits that a refused delivery cannot keep open.

alter table webhook_endpoints
    add column refusals integer not null default 0;      -- probes refused in a row since a pause
