-- What each migration's file contained when it was applied, so that a later change of it is noticed.

alter table schema_migrations add column checksum text;  -- SHA-256 of the file, as hexadecimal digits
