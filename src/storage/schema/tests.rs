//! The migrations of both stores make what [`TABLES`] says, no more and no less.

use std::{collections::BTreeSet, fs, path::Path};

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Row as _, SqlitePool, sqlite::SqliteConnectOptions,
};

use super::*;
use crate::storage::{Store as _, lab::Scratch, postgres::PostgresStore, sqlite::SqliteStore};

/// A schema as lines, one for each thing that it has.
type Lines = BTreeSet<String>;

fn expected() -> Lines {
    let mut lines = Lines::new();
    for Table { name, columns, key, unique, references, indexes, .. } in TABLES {
        for column in columns {
            lines.insert(column_line(name, column.name, column.kind, column.nullable));
        }
        lines.insert(format!("{name}: key {}", key.join(", ")));
        for columns in unique {
            lines.insert(format!("{name}: unique {}", columns.join(", ")));
        }
        for (column, other) in references {
            let other = TABLES.iter().find(|table| table.name == *other).unwrap();
            lines.insert(format!("{name}: {column} names {} {}", other.name, other.key.join(", ")));
        }
        for Index { name: index, columns, where_set } in indexes {
            let condition = where_set.map(|column| format!(" where {column} is not null"));
            let columns = columns.join(", ");
            lines.insert(format!("{name}: index {index} {columns}{}", condition.unwrap_or_default()));
        }
    }
    lines
}

fn column_line(table: &str, column: &str, kind: Kind, nullable: bool) -> String {
    format!("{table}: {column} {kind:?}{}", if nullable { " or null" } else { "" })
}

fn differences(expected: &Lines, found: &Lines) -> Vec<String> {
    let missing = expected.difference(found).map(|line| format!("missing: {line}"));
    missing.chain(found.difference(expected).map(|line| format!("not in schema.rs: {line}"))).collect()
}

async fn sqlite_names(pool: &SqlitePool, index: &str) -> String {
    let statement = "select name from pragma_index_info($1) order by seqno";
    let names: Vec<String> = sqlx::query_scalar(statement).bind(index).fetch_all(pool).await.unwrap();
    names.join(", ")
}

async fn sqlite_table(pool: &SqlitePool, table: &str, lines: &mut Lines) {
    let columns = "select name, type, \"notnull\", pk, hidden, dflt_value from pragma_table_xinfo($1)";
    let mut key = Vec::new();
    for row in sqlx::query(columns).bind(table).fetch_all(pool).await.unwrap() {
        let (name, pk): (String, i64) = (row.get("name"), row.get("pk"));
        let kind = match row.get::<String, _>("type").to_lowercase().as_str() {
            "blob" => Kind::Bytes,
            "text" => Kind::Text,
            "integer" => Kind::Number,
            other => panic!("{table}.{name} is {other}"),
        };
        let default: Option<String> = row.get("dflt_value");
        assert_eq!((row.get::<i64, _>("hidden"), default), (0, None), "{table}.{name}");
        // A row id cannot be null, though SQLite does not say so.
        let nullable = row.get::<i64, _>("notnull") == 0 && pk == 0;
        lines.insert(column_line(table, &name, kind, nullable));
        if pk > 0 {
            key.push((pk, name));
        }
    }
    key.sort();
    let key: Vec<_> = key.into_iter().map(|(_, name)| name).collect();
    lines.insert(format!("{table}: key {}", key.join(", ")));

    let indexes = "select l.name, l.\"unique\", l.origin, l.partial, s.sql from pragma_index_list($1) l \
                   left join sqlite_schema s on s.name = l.name";
    for row in sqlx::query(indexes).bind(table).fetch_all(pool).await.unwrap() {
        let (name, origin): (String, String) = (row.get("name"), row.get("origin"));
        let columns = sqlite_names(pool, &name).await;
        let odd =
            "select count(*) from pragma_index_xinfo($1) where key = 1 and (desc = 1 or coll <> 'BINARY')";
        assert_eq!(sqlx::query_scalar::<_, i64>(odd).bind(&name).fetch_one(pool).await.unwrap(), 0, "{name}");
        match (origin.as_str(), row.get::<i64, _>("unique")) {
            ("pk", _) => {}
            ("u", 1) => drop(lines.insert(format!("{table}: unique {columns}"))),
            ("c", 0) => {
                let sql: String = row.get("sql");
                let condition = sql.split_once(" where ").map(|(_, condition)| format!(" where {condition}"));
                assert_eq!(condition.is_some(), row.get::<i64, _>("partial") == 1, "{sql}");
                lines.insert(format!("{table}: index {name} {columns}{}", condition.unwrap_or_default()));
            }
            other => panic!("{name} is an index of kind {other:?}"),
        }
    }
    let foreign = "select \"from\", \"table\", \"to\" from pragma_foreign_key_list($1)";
    for row in sqlx::query(foreign).bind(table).fetch_all(pool).await.unwrap() {
        let (from, other, to): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        lines.insert(format!("{table}: {from} names {other} {to}"));
    }
}

async fn sqlite() -> Lines {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("sluis.db"));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let mut lines = Lines::new();
    let things = "select name, type, strict from pragma_table_list where schema = 'main' \
                  and name not like 'sqlite\\_%' escape '\\' and name <> '_sqlx_migrations'";
    for row in sqlx::query(things).fetch_all(&pool).await.unwrap() {
        let (name, kind): (String, String) = (row.get(0), row.get(1));
        assert_eq!((kind.as_str(), row.get::<i64, _>(2)), ("table", 1), "{name} is a strict table");
        sqlite_table(&pool, &name, &mut lines).await;
    }
    let others = "select name from sqlite_schema where type not in ('table', 'index')";
    let others: Vec<String> = sqlx::query_scalar(others).fetch_all(&pool).await.unwrap();
    assert!(others.is_empty(), "{others:?}");
    pool.close().await;
    drop(store);
    lines
}

#[tokio::test]
async fn sqlite_has_exactly_these_tables() {
    let differences = differences(&expected(), &sqlite().await);
    assert!(differences.is_empty(), "{differences:#?}");
}

async fn postgres_lines(connection: &mut PgConnection, statement: &str) -> Lines {
    let statement = statement
        .replace("$NAMES(", "(select string_agg(a.attname, ', ' order by k.n) from unnest(")
        .replace(
            ")NAMES",
            ") with ordinality k (at, n) join pg_attribute a on a.attnum = k.at and a.attrelid = ",
        );
    sqlx::query_scalar::<_, String>(AssertSqlSafe(statement))
        .fetch_all(connection)
        .await
        .unwrap()
        .into_iter()
        .collect()
}

async fn postgres() -> Lines {
    let scratch = Scratch::new().await;
    let store = PostgresStore::open(&scratch.url()).await.unwrap();
    let mut connection = PgConnection::connect(&scratch.text()).await.unwrap();
    let mut lines = Lines::new();
    for statement in [
        // Columns.
        "select c.relname || ': ' || a.attname || case t.typname when 'bytea' then ' Bytes' when 'text' then ' Text' \
         when 'int8' then ' Number' else ' of the type ' || t.typname end \
         || case when a.attnotnull then '' else ' or null' end \
         || case when a.atthasdef or a.attidentity <> '' or a.attgenerated <> '' then ' with a default' else '' end \
         from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid \
         where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and a.attnum > 0 \
         and not a.attisdropped and c.relname <> '_sqlx_migrations'",
        // Keys.
        "select c.relname || case o.contype when 'p' then ': key ' else ': unique ' end || $NAMES(o.conkey)NAMES c.oid) \
         from pg_constraint o join pg_class c on c.oid = o.conrelid where o.contype in ('p', 'u') \
         and c.relnamespace = current_schema()::regnamespace and c.relname <> '_sqlx_migrations'",
        // References.
        "select c.relname || ': ' || $NAMES(o.conkey)NAMES c.oid) || ' names ' || f.relname || ' ' \
         || $NAMES(o.confkey)NAMES f.oid) \
         from pg_constraint o join pg_class c on c.oid = o.conrelid join pg_class f on f.oid = o.confrelid \
         where o.contype = 'f' and c.relnamespace = current_schema()::regnamespace",
        // Indexes that no key made.
        "select c.relname || case when i.indisunique then ': unique index ' else ': index ' end || x.relname || ' ' \
         || $NAMES(i.indkey)NAMES c.oid) || coalesce(' where ' || trim(both '()' from \
         lower(pg_get_expr(i.indpred, i.indrelid))), '') \
         || case when m.amname <> 'btree' or i.indexprs is not null or not i.indisvalid then ' of an odd kind' \
         else '' end \
         from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid \
         join pg_am m on m.oid = x.relam where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' \
         and not exists (select 1 from pg_constraint o where o.conindid = x.oid and o.contype in ('p', 'u'))",
        // Anything else.
        "select 'the ' || c.relkind::text || ' ' || c.relname from pg_class c \
         where c.relnamespace = current_schema()::regnamespace and c.relkind not in ('r', 'i')",
        "select 'the trigger ' || t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid \
         where c.relnamespace = current_schema()::regnamespace and not t.tgisinternal",
    ] {
        lines.extend(postgres_lines(&mut connection, statement).await);
    }
    connection.close().await.unwrap();
    store.close().await;
    lines
}

#[tokio::test]
async fn postgres_has_exactly_these_tables() {
    let differences = differences(&expected(), &postgres().await);
    assert!(differences.is_empty(), "{differences:#?}");
}

/// So that a copy in this order never adds a row before the one that it names, and ends with the head.
#[test]
fn tables_stand_in_an_order_that_can_be_copied() {
    for (at, table) in TABLES.iter().enumerate() {
        for (_, other) in table.references {
            assert!(TABLES[..at].iter().any(|before| before.name == *other), "{} names {other}", table.name);
        }
        let names = table.columns.iter().map(|column| column.name).collect::<BTreeSet<_>>();
        assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        assert!(!table.key.is_empty(), "{} has no key to copy by", table.name);
        assert!(table.key_columns().all(|column| !column.nullable), "{}", table.name);
        assert_eq!(table.key_columns().count(), table.key.len(), "{}", table.name);
    }
    let last: Vec<_> = TABLES.iter().filter(|table| table.copied == Copied::Last).collect();
    assert_eq!(last, [&HEAD]);
    let never: Vec<_> = TABLES.iter().filter(|table| table.copied == Copied::Never).collect();
    assert_eq!(never, [&MOVING]);
}

#[test]
fn both_stores_have_the_same_migrations_and_no_number_is_left_out() {
    let names = |store: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(store);
        let files =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        files.collect::<BTreeSet<_>>()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert_eq!(sqlite, postgres);
    assert!(sqlite.len() >= 2);
    for (number, name) in (1..).zip(&sqlite) {
        assert!(
            name.starts_with(&format!("{number:04}_")) && name.ends_with(".sql"),
            "{name} is not the {number}."
        );
    }
}

#[test]
fn a_difference_is_told_by_name() {
    let whole = expected();
    let mut other = whole.clone();
    other.remove("tile: hashes Bytes");
    other.insert("tile: hashes Text".to_owned());
    assert_eq!(
        differences(&whole, &other),
        ["missing: tile: hashes Bytes", "not in schema.rs: tile: hashes Text"]
    );
}

/// What was recorded before migration 0003 is still there after it, and is not used any more.
#[tokio::test]
async fn a_consent_of_the_version_before_is_kept_and_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        SqliteConnectOptions::new().filename(folder.path().join("sluis.db")).create_if_missing(true);
    let pool = SqlitePool::connect_with(options.clone()).await.unwrap();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let mut before = sqlx::migrate::Migrator::new(migrations.as_path()).await.unwrap();
    before.migrations.to_mut().retain(|migration| migration.version < 3);
    before.run(&pool).await.unwrap();
    let (form, grant) = (crate::domain::FormId::random(), crate::domain::GrantId::random());
    for (statement, id) in [
        ("insert into consent_form values (?, x'02', '00000099000003001000', 5, 'form')", form.bytes()),
        (
            "insert into consent_grant select ?, id, zeroblob(16), recorder, '00000099000001001000', \
             'gem.klantmanager', 'REINTEGRATION', recorder, 'VW-04', 0, 9, 'grant', x'03', 2026 from consent_form",
            grant.bytes(),
        ),
        ("insert into consent_event values (?, 'confirmed', 6, 7)", grant.bytes()),
        ("insert into client_key values (?, 2026, zeroblob(16), x'04', null)", grant.bytes()),
    ] {
        sqlx::query(AssertSqlSafe(statement)).bind(id.to_vec()).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let store = SqliteStore::open(folder.path()).await.unwrap();
    let found = store.grant(grant).await.unwrap().unwrap();
    assert_eq!(found.standing.form, form);
    assert!(found.standing.state.confirmed && !found.standing.state.free);
    assert_eq!(found.events.iter().map(|event| event.position).collect::<Vec<_>>(), [7]);
    // Nothing stands for it, so nothing is released under it (`exchange::verified`).
    assert_eq!(found.countersignature, "");
    assert!(found.standing.state.releasable(found.standing.state.starts).is_empty());
}
