-- When a member last looked at the page of changes, and at the visit before that.

alter table memberships add column changes_seen_at timestamptz, add column changes_seen_before timestamptz;
