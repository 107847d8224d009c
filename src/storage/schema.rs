//! What both stores hold, as data: every table, its columns and keys. The migrations make it, and tests hold that each
//! of them makes exactly this; [`copy`](super::copy) moves whatever stands here.
//!
//! A new table is a migration in both folders of `migrations/` and a row here (docs/storage.md).

#[cfg(test)]
mod tests;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `blob` in SQLite, `bytea` in PostgreSQL.
    Bytes,
    /// `text` in both.
    Text,
    /// `integer` in SQLite, `bigint` in PostgreSQL.
    Number,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be empty.
    pub nullable: bool,
}

/// An index that only makes reading faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// Name.
    pub name: &'static str,
    /// What it is ordered by.
    pub columns: &'static [&'static str],
    /// The column that must not be null for a row to be in it; `None` for an index of all rows.
    pub where_set: Option<&'static str>,
}

/// What a copy to another store does with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// All rows go along, in the order of the primary key.
    Rows,
    /// The one row goes along, last of all: it is what makes a log of the rest.
    Last,
    /// Stays: it says something of this store alone.
    Never,
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Name.
    pub name: &'static str,
    /// Columns, as the migrations have them.
    pub columns: &'static [Column],
    /// Primary key.
    pub key: &'static [&'static str],
    /// Further sets of columns that no two rows have in common.
    pub unique: &'static [&'static [&'static str]],
    /// Columns that name a row of another table by its primary key, and that table.
    pub references: &'static [(&'static str, &'static str)],
    /// Indexes beside those that the keys make.
    pub indexes: &'static [Index],
    /// What a copy does with it.
    pub copied: Copied,
}

const fn bytes(name: &'static str) -> Column {
    Column { name, kind: Kind::Bytes, nullable: false }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text, nullable: false }
}

const fn number(name: &'static str) -> Column {
    Column { name, kind: Kind::Number, nullable: false }
}

const fn or_null(column: Column) -> Column {
    Column { nullable: true, ..column }
}

const fn index(name: &'static str, columns: &'static [&'static str]) -> Index {
    Index { name, columns, where_set: None }
}

/// A table to start from: nothing but a name, and all rows are copied.
const fn table(name: &'static str, columns: &'static [Column], key: &'static [&'static str]) -> Table {
    Table { name, columns, key, unique: &[], references: &[], indexes: &[], copied: Copied::Rows }
}

/// Entries of the log.
pub const ENTRY: Table = Table {
    unique: &[&["pair", "kind"]],
    indexes: &[
        index("entry_time", &["time"]),
        index("entry_requester", &["requester", "time"]),
        index("entry_kind", &["kind", "position"]),
        Index { name: "entry_subject", columns: &["subject"], where_set: Some("subject") },
    ],
    ..table(
        "entry",
        &[
            number("position"),
            bytes("pair"),
            text("kind"),
            number("time"),
            bytes("leaf"),
            bytes("facts"),
            bytes("facts_salt"),
            or_null(bytes("detail")),
            or_null(bytes("detail_salt")),
            bytes("sealed"),
            bytes("key_hash"),
            or_null(bytes("subject")),
            or_null(text("requester")),
            or_null(text("purpose")),
        ],
        &["position"],
    )
};

/// Shards of the log that are closed.
pub const SHARD: Table = table(
    "shard",
    &[
        number("number"),
        text("origin"),
        number("first"),
        number("size"),
        text("checkpoint"),
        text("key"),
        number("closed"),
    ],
    &["number"],
);

/// Finished tiles of the trees.
pub const TILE: Table = table(
    "tile",
    &[number("shard"), number("level"), number("number"), bytes("hashes")],
    &["shard", "level", "number"],
);

/// Requests without an outcome.
pub const OPEN_REQUEST: Table = table(
    "open_request",
    &[bytes("pair"), or_null(text("requester")), number("time"), or_null(number("erased"))],
    &["pair"],
);

/// Request ids that were used.
pub const USED_REQUEST_ID: Table = Table {
    indexes: &[index("used_request_id_time", &["time"])],
    ..table("used_request_id", &[bytes("key"), number("time")], &["key"])
};

/// What happens once for as long as there is a log.
pub const CLAIM: Table = table("claim", &[bytes("key"), number("time")], &["key"]);

/// Clients who were erased.
pub const ERASED: Table =
    table("erased", &[bytes("subject"), number("time"), or_null(number("scrubbed"))], &["subject"]);

/// How far the log is looked through for entries whose term is over.
pub const EXPIRED: Table = table("expired", &[text("record"), number("position")], &["record"]);

/// Keys of clients, wrapped.
pub const CLIENT_KEY: Table = Table {
    indexes: &[
        index("client_key_subject", &["subject", "year"]),
        Index { name: "client_key_expires", columns: &["expires"], where_set: Some("expires") },
    ],
    ..table(
        "client_key",
        &[bytes("tag"), number("year"), bytes("subject"), bytes("wrapped"), or_null(number("expires"))],
        &["tag", "year"],
    )
};

/// Recorded forms.
pub const CONSENT_FORM: Table = Table {
    indexes: &[
        index("consent_form_subject", &["subject", "recorder"]),
        index("consent_form_recorded", &["recorded_at"]),
    ],
    ..table(
        "consent_form",
        &[
            bytes("id"),
            bytes("subject"),
            text("recorder"),
            number("recorded_at"),
            text("jws"),
            or_null(text("reconfirmation")),
        ],
        &["id"],
    )
};

/// Their grants.
pub const CONSENT_GRANT: Table = Table {
    references: &[("form", "consent_form")],
    indexes: &[
        index("consent_grant_form", &["form"]),
        index("consent_grant_lookup", &["subject", "recipient", "role", "purpose"]),
        index("consent_grant_ends", &["recorder", "ends"]),
    ],
    ..table(
        "consent_grant",
        &[
            bytes("id"),
            bytes("form"),
            bytes("subject"),
            text("recorder"),
            text("recipient"),
            text("role"),
            text("purpose"),
            text("source"),
            text("fields"),
            number("starts"),
            number("ends"),
            text("jws"),
            bytes("sealed_salt"),
            number("key_year"),
            text("given_by"),
            number("signed_on"),
            number("free"),
            or_null(number("uses")),
            or_null(bytes("renews")),
            text("countersignature"),
        ],
        &["id"],
    )
};

/// What became of grants.
pub const CONSENT_EVENT: Table = Table {
    references: &[("grant_id", "consent_grant")],
    indexes: &[index("consent_event_position", &["position"])],
    ..table(
        "consent_event",
        &[bytes("grant_id"), number("position"), text("kind"), number("time"), or_null(text("fields"))],
        &["grant_id", "position", "kind"],
    )
};

/// What clients said no to.
pub const CONSENT_STOP: Table = table(
    "consent_stop",
    &[
        bytes("subject"),
        number("position"),
        number("number"),
        text("kind"),
        number("day"),
        or_null(text("owner")),
        or_null(text("recipient")),
        or_null(text("purpose")),
        or_null(text("source")),
        number("parental"),
        or_null(text("fields")),
    ],
    &["subject", "position", "number"],
);

/// Sources that have paused everything of their own.
pub const SOURCE_PAUSE: Table =
    table("source_pause", &[text("source"), number("time"), number("position")], &["source"]);

/// That something left under a grant.
pub const DISCLOSURE: Table = Table {
    references: &[("grant_id", "consent_grant")],
    indexes: &[
        index("disclosure_source", &["source", "position"]),
        index("disclosure_recipient", &["recipient", "position"]),
    ],
    ..table(
        "disclosure",
        &[
            bytes("grant_id"),
            number("position"),
            number("time"),
            text("source"),
            text("recipient"),
            text("fields"),
            number("counted"),
        ],
        &["grant_id", "position"],
    )
};

/// How far each organisation has dealt with what it was told.
pub const ACKNOWLEDGED: Table =
    table("acknowledged", &[text("organisation"), number("position"), number("day")], &["organisation"]);

/// How far the log has been sent to a Logboek Dataverwerkingen; at most one row.
pub const LOGBOEK: Table = table("logboek", &[number("id"), number("position")], &["id"]);

/// The newest state of the log, one row.
pub const HEAD: Table = Table {
    copied: Copied::Last,
    ..table(
        "head",
        &[
            number("id"),
            text("origin"),
            number("size"),
            number("time"),
            bytes("frontier"),
            text("checkpoint"),
            bytes("batch"),
            or_null(bytes("keys")),
            number("number"),
            number("first"),
        ],
        &["id"],
    )
};

/// How far a copy into this store has come, or that this store was left; at most one row.
pub const MOVING: Table = Table {
    copied: Copied::Never,
    ..table(
        "moving",
        &[
            number("id"),
            text("state"),
            text("origin"),
            number("size"),
            bytes("batch"),
            text("place"),
            bytes("cursor"),
        ],
        &["id"],
    )
};

/// All tables. A table comes after those that it references, so that a copy in this order breaks none of them; and shards
/// before the entries, so that whoever reads along knows where each begins.
pub const TABLES: [Table; 19] = [
    SHARD,
    ENTRY,
    TILE,
    OPEN_REQUEST,
    USED_REQUEST_ID,
    CLAIM,
    ERASED,
    EXPIRED,
    CLIENT_KEY,
    CONSENT_FORM,
    CONSENT_GRANT,
    CONSENT_EVENT,
    CONSENT_STOP,
    SOURCE_PAUSE,
    DISCLOSURE,
    ACKNOWLEDGED,
    LOGBOEK,
    HEAD,
    MOVING,
];

impl Table {
    /// Where a column stands in [`Table::columns`].
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The primary key's columns.
    pub fn key_columns(&self) -> impl Iterator<Item = &'static Column> {
        self.key.iter().filter_map(|name| self.columns.iter().find(|column| column.name == *name))
    }
}
