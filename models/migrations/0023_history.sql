-- Events of the past that were imported, or sent as historical, up to this instant are not judged yet: the company's
-- history is rewritten. Null: there are none.
alter table companies add column history_until timestamptz;
