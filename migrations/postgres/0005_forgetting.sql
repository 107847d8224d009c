-- What it takes to forget: a client on request, and anybody once a term is over.

-- All that the log has of one client.
create index entry_subject on entry (subject) where subject is not null;

-- Clients whose keys must not come back: a restored copy of the keys may be older than an erasure.
create table erased (
    subject bytea  primary key,
    time    bigint not null
);

-- What happens once for as long as there is a log. Ids of requests are forgotten after a term; until now both stood in one
-- table, and nobody can tell any more which is which.
create table claim (
    key  bytea  primary key,
    time bigint not null
);
insert into claim (key, time) select key, time from used_request_id;
delete from used_request_id;
create index used_request_id_time on used_request_id (time);

-- How far the log is looked through for entries whose term is over: everything below the position is done.
create table expired (
    record   text   primary key, -- kind of record
    position bigint not null
);
