-- Transitions in one order for those who read them from a place on. A row's own times and ids say
-- when it was written, and another may be committed after it that was written before: a reader that
-- goes on from the newest it saw would never see that one. So a position is given to what is
-- committed, by one at a time.

alter table transitions add column position bigint;      -- null until somebody reads; then for good
create sequence transition_positions owned by transitions.position;

update transitions t set position = o.position
from (
    select id, row_number() over (order by at_latest, company_id, sequence) as position
    from (
        select id, company_id, sequence,
            max(recorded_at) over (partition by company_id order by sequence) as at_latest
        from transitions
    ) told
) o
where o.id = t.id;
select setval('transition_positions', coalesce(max(position), 0) + 1, false) from transitions;

-- Not unique: an update of a unique column would wait for whoever writes deliveries of the row.
create index transitions_in_order on transitions (organization_id, position)
    where position is not null;
create index transitions_to_place on transitions (organization_id, recorded_at)
    where position is null;

-- The delivery log of an organization, newest first.
create index deliveries_of_organization on deliveries (organization_id, created_at desc, id desc);
create index deliveries_not_made on deliveries (organization_id, state, created_at desc, id desc)
    where state in ('failed', 'paused', 'cancelled');
