-- The log, what stands beside it, the clients' keys, and the consents. No column holds a BSN, a value that was exchanged
-- or a text about a client.

create table head (
    id          integer primary key check (id = 1),
    origin      text    not null,
    size        integer not null,
    time        integer not null, -- milliseconds since 1970 of the newest entry
    frontier    blob    not null, -- roots of the full subtrees
    checkpoint  text    not null, -- signed note
    batch       blob    not null  -- id of the commit that wrote this row
) strict;

create table entry (
    position    integer primary key,
    pair        blob    not null,
    kind        text    not null,
    time        integer not null,
    leaf        blob    not null, -- as hashed
    facts       blob    not null, -- canonical JSON, with the salt of its commitment
    facts_salt  blob    not null,
    detail      blob,             -- what an outcome's facts commit to and a requester does not see
    detail_salt blob,
    sealed      blob    not null, -- opened with a key derived from the client's
    key_hash    blob    not null, -- SHA-256 of that key
    subject     blob,             -- whose key; null where no client is concerned
    -- copies of facts, to search by
    requester   text,
    purpose     text,
    unique (pair, kind)
) strict;
create index entry_time on entry (time);
create index entry_requester on entry (requester, time);

create table tile (
    level  integer not null,
    number integer not null,
    hashes blob    not null, -- 256 hashes; partial tiles are derived
    primary key (level, number)
) strict, without rowid;

-- Requests without an outcome. Closing one deletes its row, so a request has exactly one outcome.
create table open_request (
    pair      blob    primary key,
    requester text,
    time      integer not null
) strict, without rowid;

create table used_request_id (
    key  blob    primary key, -- HMAC of requester and id
    time integer not null
) strict, without rowid;

create table client_key (
    tag     blob    not null, -- HMAC(index key, BSN)
    year    integer not null,
    subject blob    not null,
    wrapped blob    not null, -- the client's key of this year, under the master key
    expires integer,          -- set while only asked about, null once a consent was recorded
    primary key (tag, year)
) strict, without rowid;
create index client_key_subject on client_key (subject, year);
create index client_key_expires on client_key (expires) where expires is not null;

create table consent_form (
    id          blob    primary key,
    subject     blob    not null,
    recorder    text    not null,
    recorded_at integer not null,
    jws         text    not null
) strict, without rowid;
create index consent_form_subject on consent_form (subject, recorder);

create table consent_grant (
    id          blob    primary key,
    form        blob    not null references consent_form (id),
    subject     blob    not null,
    recorder    text    not null,
    recipient   text    not null,
    role        text    not null,
    purpose     text    not null,
    source      text    not null,
    fields      text    not null, -- catalogue codes, separated by spaces
    starts      integer not null,
    ends        integer not null,
    jws         text    not null,
    sealed_salt blob    not null, -- salt of the binding, sealed under the client's key of key_year
    key_year    integer not null
) strict, without rowid;
create index consent_grant_form on consent_grant (form);
create index consent_grant_lookup on consent_grant (subject, recipient, role, purpose);

create table consent_event (
    grant_id blob    not null references consent_grant (id),
    kind     text    not null,
    time     integer not null,
    position integer not null, -- of its entry in the log
    primary key (grant_id, kind)
) strict, without rowid;
