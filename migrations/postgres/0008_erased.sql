-- What it takes to forget a client to the end.

-- A request that was open when its client was erased: what comes of it concerns nobody.
alter table open_request add column erased bigint; -- milliseconds since 1970; null for any other

-- Forms by age, to find those whose term is over without reading the others.
create index consent_form_recorded on consent_form (recorded_at);

-- Whether what was deleted of an erased client is gone from free pages too: that may fail, and is then tried again.
alter table erased add column scrubbed bigint; -- 1 once it is; null until then
