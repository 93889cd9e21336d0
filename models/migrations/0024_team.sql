-- What lists show of each company beside its health: who owns it, what it is worth, when it renews, and which of its
-- flags are raised. Null in `raised`: not derived yet, which the clock has done.
alter table companies
    add column owner text,
    add column value numeric(18, 2),
    add column renews_on date,
    add column raised jsonb;
alter table companies alter column raised set default '[]';
