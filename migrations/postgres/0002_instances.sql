-- What several gateways on one log, and moving a log to another store, need.

-- Fingerprint of the keys that the log is written with: a gateway with others would look for clients in vain. Null in a
-- log from before this column, until its next entry.
alter table head add column keys bytea;

-- One row while a copy into this store is unfinished, or once this store was copied to another. No gateway starts on it.
create table moving (
    id      bigint  primary key check (id = 1),
    state   text    not null check (state in ('arriving', 'left')),
    origin  text    not null, -- of the log that is copied
    size    bigint  not null, -- of that log
    batch   bytea   not null, -- of its head
    place   text    not null, -- table that the copy has come to
    cursor  bytea   not null  -- key of its last row there, encoded; empty before the first
);
