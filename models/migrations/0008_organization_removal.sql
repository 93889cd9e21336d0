-- So that deleting transitions need not look through all deliveries for those that tell of each.

create index deliveries_of_transition on deliveries (transition_id) where transition_id is not null;
