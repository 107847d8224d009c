-- The log, what stands beside it, the clients' keys, and the consents. No column holds a BSN, a value that was exchanged
-- or a text about a client.

create table head (
    id          bigint  primary key check (id = 1),
    origin      text    not null,
    size        bigint  not null,
    time        bigint  not null, -- milliseconds since 1970 of the newest entry
    frontier    bytea   not null, -- roots of the full subtrees
    checkpoint  text    not null, -- signed note
    batch       bytea   not null  -- id of the commit that wrote this row
);

create table entry (
    position    bigint  primary key,
    pair        bytea   not null,
    kind        text    not null,
    time        bigint  not null,
    leaf        bytea   not null, -- as hashed
    facts       bytea   not null, -- canonical JSON, with the salt of its commitment
    facts_salt  bytea   not null,
    detail      bytea,             -- what an outcome's facts commit to and a requester does not see
    detail_salt bytea,
    sealed      bytea   not null, -- opened with a key derived from the client's
    key_hash    bytea   not null, -- SHA-256 of that key
    subject     bytea,             -- whose key; null where no client is concerned
    -- copies of facts, to search by
    requester   text,
    purpose     text,
    unique (pair, kind)
)
-- Up to the page in the row itself, as it is: compressing what is sealed and hashed gains nothing.
with (toast_tuple_target = 8160);
create index entry_time on entry (time);
create index entry_requester on entry (requester, time);

create table tile (
    level  bigint  not null,
    number bigint  not null,
    hashes bytea   not null, -- 256 hashes; partial tiles are derived
    primary key (level, number)
);

-- Requests without an outcome. Closing one deletes its row, so a request has exactly one outcome.
create table open_request (
    pair      bytea   primary key,
    requester text,
    time      bigint  not null
);

create table used_request_id (
    key  bytea   primary key, -- HMAC of requester and id
    time bigint  not null
);

create table client_key (
    tag     bytea   not null, -- HMAC(index key, BSN)
    year    bigint  not null,
    subject bytea   not null,
    wrapped bytea   not null, -- the client's key of this year, under the master key
    expires bigint,          -- set while only asked about, null once a consent was recorded
    primary key (tag, year)
);
create index client_key_subject on client_key (subject, year);
create index client_key_expires on client_key (expires) where expires is not null;

create table consent_form (
    id          bytea   primary key,
    subject     bytea   not null,
    recorder    text    not null,
    recorded_at bigint  not null,
    jws         text    not null
);
create index consent_form_subject on consent_form (subject, recorder);

create table consent_grant (
    id          bytea   primary key,
    form        bytea   not null references consent_form (id),
    subject     bytea   not null,
    recorder    text    not null,
    recipient   text    not null,
    role        text    not null,
    purpose     text    not null,
    source      text    not null,
    fields      text    not null, -- catalogue codes, separated by spaces
    starts      bigint  not null,
    ends        bigint  not null,
    jws         text    not null,
    sealed_salt bytea   not null, -- salt of the binding, sealed under the client's key of key_year
    key_year    bigint  not null
);
create index consent_grant_form on consent_grant (form);
create index consent_grant_lookup on consent_grant (subject, recipient, role, purpose);

create table consent_event (
    grant_id bytea   not null references consent_grant (id),
    kind     text    not null,
    time     bigint  not null,
    position bigint  not null, -- of its entry in the log
    primary key (grant_id, kind)
);
