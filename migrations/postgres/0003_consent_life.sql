-- The whole life of a consent: who gave it, how often it may be used, what happened to it, what was said no to, what left
-- under it, and who was told. A grant recorded before this has no countersignature, and is not used any more.

alter table consent_form add column reconfirmation text; -- JWS, where the client was not free when he signed

alter table consent_grant add column given_by text not null default 'CLIENT';
alter table consent_grant add column signed_on bigint not null default 0; -- milliseconds since 1970 of the day's start
alter table consent_grant add column free bigint not null default 0;      -- whether the client was free when he signed
alter table consent_grant add column uses bigint;                         -- null: as often as needed
alter table consent_grant add column renews bytea;
alter table consent_grant add column countersignature text not null default '';
alter table consent_grant alter column given_by drop default;
alter table consent_grant alter column signed_on drop default;
alter table consent_grant alter column free drop default;
alter table consent_grant alter column countersignature drop default;
create index consent_grant_ends on consent_grant (recorder, ends);

-- A kind may happen more than once.
alter table consent_event add column fields text; -- catalogue codes that were struck out
alter table consent_event drop constraint consent_event_pkey;
alter table consent_event add primary key (grant_id, position, kind);
create index consent_event_position on consent_event (position);

-- What a client said no to: it also covers what was signed before, and is recorded later.
create table consent_stop (
    subject   bytea   not null,
    position  bigint not null, -- of its entry in the log
    number    bigint not null, -- several may come with one entry
    kind      text    not null,
    day       bigint not null, -- milliseconds since 1970 of the day's start
    owner     text,
    recipient text,
    purpose   text,
    source    text,
    parental  bigint not null,
    fields    text,
    primary key (subject, position, number)
);

-- Sources that have paused everything of their own.
create table source_pause (
    source   text    primary key,
    time     bigint not null,
    position bigint not null
);

-- That something left under a grant: which fields, never their values.
create table disclosure (
    grant_id  bytea   not null references consent_grant (id),
    position  bigint not null, -- of the outcome's entry in the log
    time      bigint not null,
    source    text    not null,
    recipient text    not null,
    fields    text    not null,
    counted   bigint not null, -- whether it counts as a use
    primary key (grant_id, position)
);
create index disclosure_source on disclosure (source, position);
create index disclosure_recipient on disclosure (recipient, position);

-- How far each organisation has dealt with what it was told.
create table acknowledged (
    organisation text    primary key,
    position     bigint not null,
    day          bigint not null -- days since 1970
);
