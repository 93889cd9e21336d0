-- What a key may do. Existing keys, and those that processes of the release before create, send and read as before.
-- Nobody chose that: `scopes_chosen` is false, and people see a notice until they choose.
alter table api_keys
    add column scopes text[] not null default '{send,read}'
        check (scopes <> '{}' and scopes <@ array['send', 'read', 'manage']),
    add column scopes_chosen boolean not null default false;
