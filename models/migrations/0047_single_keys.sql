-- Whether keys such as `j` or `/` act on their own for a person; WCAG 2.1.4 asks for the choice.

alter table people add column single_keys boolean not null default true;
