-- The members whom notes about companies mention, and whether they have read that.

create table note_mentions (
    organization_id bigint not null references organizations,
    note_id         bigint not null,
    person_id       bigint not null,
    at              timestamptz not null,    -- when the note was added, or edited, so that it mentions them
    read_at         timestamptz,
    primary key (organization_id, note_id, person_id),
    foreign key (organization_id, note_id) references company_notes on delete cascade,
    foreign key (organization_id, person_id) references memberships on delete cascade
);
create index note_mentions_newest_first on note_mentions (organization_id, person_id, at desc, note_id desc);
create index note_mentions_unread on note_mentions (organization_id, person_id, at desc, note_id desc) where read_at is null;
