-- A log of several years: a shard for each, with a tree and a key of its own.

-- Shards that are closed. The one that is written to is that of `head`.
create table shard (
    number     integer primary key, -- of the shard; they grow, with gaps where a log had to begin anew
    origin     text    not null,
    first      integer not null, -- position of its first entry in the whole
    size       integer not null,
    checkpoint text    not null, -- the last one, a signed note
    key        text    not null, -- that it was signed with, as a verifier key
    closed     integer not null  -- milliseconds since 1970
) strict;

-- What was one log is the first shard.
create table head_of_shard (
    id          integer primary key check (id = 1),
    origin      text    not null,
    size        integer not null, -- entries of this shard
    time        integer not null, -- milliseconds since 1970 of the newest entry
    frontier    blob    not null, -- roots of the full subtrees
    checkpoint  text    not null, -- signed note
    batch       blob    not null, -- id of the commit that wrote this row
    keys        blob,             -- fingerprint of the keys that the log is written with
    number      integer not null, -- of the shard
    first       integer not null  -- position of its first entry in the whole
) strict;
insert into head_of_shard select id, origin, size, time, frontier, checkpoint, batch, keys, 0, 0 from head;
drop table head;
alter table head_of_shard rename to head;

create table tile_of_shard (
    shard  integer not null,
    level  integer not null,
    number integer not null,
    hashes blob    not null, -- 256 hashes; partial tiles are derived
    primary key (shard, level, number)
) strict, without rowid;
insert into tile_of_shard select 0, level, number, hashes from tile;
drop table tile;
alter table tile_of_shard rename to tile;
