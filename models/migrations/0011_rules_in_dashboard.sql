-- Which versions of rules were made in the dashboard: the watched rule file knows nothing of those,
-- and must not take their place unseen.

alter table rule_versions add column in_dashboard boolean not null default false;
