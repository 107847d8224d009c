-- A log of several years: a shard for each, with a tree and a key of its own.

-- Shards that are closed. The one that is written to is that of `head`.
create table shard (
    number     bigint primary key, -- of the shard; they grow, with gaps where a log had to begin anew
    origin     text   not null,
    first      bigint not null, -- position of its first entry in the whole
    size       bigint not null,
    checkpoint text   not null, -- the last one, a signed note
    key        text   not null, -- that it was signed with, as a verifier key
    closed     bigint not null  -- milliseconds since 1970
);

-- What was one log is the first shard.
alter table head add column number bigint not null default 0, add column first bigint not null default 0;
alter table head alter column number drop default, alter column first drop default;

alter table tile add column shard bigint not null default 0;
alter table tile alter column shard drop default, drop constraint tile_pkey, add primary key (shard, level, number);
