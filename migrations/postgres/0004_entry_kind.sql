-- The last entries of a kind, without reading the whole log: how agreements stood is looked up at every start.
create index entry_kind on entry (kind, position);
