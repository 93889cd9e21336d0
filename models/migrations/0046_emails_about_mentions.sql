-- Whether a person gets an email when a note mentions them.

alter table people add column mention_emails boolean not null default true;
