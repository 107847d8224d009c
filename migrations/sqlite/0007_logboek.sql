-- How far the log has been sent to the Logboek Dataverwerkingen of its owner.
create table logboek (
    id       integer primary key check (id = 1),
    position integer not null -- of the next entry to send; those before it were acknowledged
) strict;
