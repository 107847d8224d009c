-- The whole life of a consent: who gave it, how often it may be used, what happened to it, what was said no to, what left
-- under it, and who was told. A grant recorded before this has no countersignature, and is not used any more.

alter table consent_form add column reconfirmation text; -- JWS, where the client was not free when he signed

alter table consent_event rename to consent_event_before;
alter table consent_grant rename to consent_grant_before;
create table consent_grant (
    id               blob    primary key,
    form             blob    not null references consent_form (id),
    subject          blob    not null,
    recorder         text    not null,
    recipient        text    not null,
    role             text    not null,
    purpose          text    not null,
    source           text    not null,
    fields           text    not null, -- catalogue codes, separated by spaces
    starts           integer not null,
    ends             integer not null,
    jws              text    not null,
    sealed_salt      blob    not null, -- salt of the binding, sealed under the client's key of key_year
    key_year         integer not null,
    given_by         text    not null,
    signed_on        integer not null, -- milliseconds since 1970 of the day's start
    free             integer not null, -- whether the client was free when he signed
    uses             integer,          -- null: as often as needed
    renews           blob,
    countersignature text    not null
) strict, without rowid;
insert into consent_grant select *, 'CLIENT', starts, 0, null, null, '' from consent_grant_before;

-- A kind may happen more than once.
create table consent_event (
    grant_id blob    not null references consent_grant (id),
    position integer not null, -- of its entry in the log
    kind     text    not null,
    time     integer not null,
    fields   text,             -- catalogue codes that were struck out
    primary key (grant_id, position, kind)
) strict, without rowid;
insert into consent_event (grant_id, position, kind, time)
    select grant_id, position, kind, time from consent_event_before;
drop table consent_event_before;
drop table consent_grant_before;
create index consent_grant_form on consent_grant (form);
create index consent_grant_lookup on consent_grant (subject, recipient, role, purpose);
create index consent_grant_ends on consent_grant (recorder, ends);
create index consent_event_position on consent_event (position);

-- What a client said no to: it also covers what was signed before, and is recorded later.
create table consent_stop (
    subject   blob    not null,
    position  integer not null, -- of its entry in the log
    number    integer not null, -- several may come with one entry
    kind      text    not null,
    day       integer not null, -- milliseconds since 1970 of the day's start
    owner     text,
    recipient text,
    purpose   text,
    source    text,
    parental  integer not null,
    fields    text,
    primary key (subject, position, number)
) strict, without rowid;

-- Sources that have paused everything of their own.
create table source_pause (
    source   text    primary key,
    time     integer not null,
    position integer not null
) strict, without rowid;

-- That something left under a grant: which fields, never their values.
create table disclosure (
    grant_id  blob    not null references consent_grant (id),
    position  integer not null, -- of the outcome's entry in the log
    time      integer not null,
    source    text    not null,
    recipient text    not null,
    fields    text    not null,
    counted   integer not null, -- whether it counts as a use
    primary key (grant_id, position)
) strict, without rowid;
create index disclosure_source on disclosure (source, position);
create index disclosure_recipient on disclosure (recipient, position);

-- How far each organisation has dealt with what it was told.
create table acknowledged (
    organisation text    primary key,
    position     integer not null,
    day          integer not null -- days since 1970
) strict, without rowid;
