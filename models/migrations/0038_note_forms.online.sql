-- The form with which a note was added, so that a form that is sent twice adds it once.
alter table company_notes add column if not exists form_id uuid;

create unique index concurrently if not exists company_notes_by_form on company_notes (organization_id, person_id, form_id);
