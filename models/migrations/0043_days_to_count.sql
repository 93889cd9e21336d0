-- The first day that a change of a company's history is about: the figures of the days before it stay complete.
alter table portfolio_stale add column since date not null default '0001-01-01';
