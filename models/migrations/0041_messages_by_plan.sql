-- Messages to people are listed by the time for which they are planned.
create index notification_messages_by_plan on notification_messages (organization_id, planned_at, id);
drop index notification_messages_newest;
