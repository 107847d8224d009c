-- How far the log has been sent to the Logboek Dataverwerkingen of its owner. Its id also names the advisory lock of the one
-- instance that sends.
create table logboek (
    id       bigint primary key check (id = 1),
    position bigint not null -- of the next entry to send; those before it were acknowledged
);
