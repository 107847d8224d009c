//! A log to move, places to move it to, and short words for looking at them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::{
    audit::{
        entry::{NewEntry, SubjectLink},
        export::stored::{Openings, export},
        leaf,
        report::{Code, Report, Verdict},
        stored_check::StoredCheck,
        verify::{VerifyOptions, verify_export},
        writer::{Change, CommitFault, Need, Next, Parts, Work, Writer, open_next},
    },
    catalogue,
    catalogue::Mask,
    consent::{Grant, binding::Binding, form::Context, grantor::GrantorKind},
    domain::{
        Bsn, FormId, GrantId, Oin, PairId, Timestamp,
        time::{SystemClock, parse_day},
    },
    note::NoteSigner,
    storage::{
        Cursor, Database, NewForm, NewGrant, Selection, Store,
        copy::{CopyFault, Moved, copy},
        lab::Scratch,
        postgres::PostgresStore,
        schema::{Copied, HEAD, MOVING, TABLES},
        sqlite::SqliteStore,
        tables::{Row, Tables, Value, key_of},
    },
    subject::{IndexKey, KeyRing},
};

const ORIGIN: &str = "test.sluis.example/copy/2026";
/// The shard before.
const FORMER: &str = "test.sluis.example/copy/2025";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

pub(super) const KINDS: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

/// Where a store is.
pub(super) enum Ground {
    Folder(TempDir),
    Schema(Scratch),
}

impl Ground {
    pub(super) async fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Kind::Postgres => Self::Schema(Scratch::new().await),
        }
    }

    pub(super) async fn open(&self) -> Database {
        match self {
            Self::Folder(folder) => {
                Database::Sqlite(Arc::new(SqliteStore::open(folder.path()).await.unwrap()))
            }
            Self::Schema(scratch) => {
                Database::Postgres(Arc::new(PostgresStore::open(&scratch.url()).await.unwrap()))
            }
        }
    }

    pub(super) fn folder(&self) -> Option<&Path> {
        if let Self::Folder(folder) = self { Some(folder.path()) } else { None }
    }

    /// Runs statements on a connection of its own, as another program would.
    pub(super) async fn run(&self, statements: &[&str]) -> Result<(), String> {
        let told = |fault: sqlx::Error| fault.to_string();
        let statements = statements.iter().map(|statement| AssertSqlSafe((*statement).to_owned()));
        match self {
            Self::Folder(folder) => {
                let file = folder.path().join("sluis.db");
                let mut connection = SqliteConnection::connect(file.to_str().unwrap()).await.map_err(told)?;
                for statement in statements {
                    sqlx::query(statement).execute(&mut connection).await.map_err(told)?;
                }
                connection.close().await.map_err(told)
            }
            Self::Schema(scratch) => {
                let mut connection = PgConnection::connect(&scratch.text()).await.map_err(told)?;
                for statement in statements {
                    sqlx::query(statement).execute(&mut connection).await.map_err(told)?;
                }
                connection.close().await.map_err(told)
            }
        }
    }
}

/// A log of more than 600 entries in an SQLite file: requests with and without outcome, details, keys that stay and keys
/// that go, forms, grants, confirmations, withdrawals.
pub(super) struct Log {
    folder: TempDir,
}

fn bsns() -> impl Iterator<Item = Bsn> {
    (999_990_000..1_000_000_000_u32).filter_map(|number| Bsn::parse(&number.to_string()).ok())
}

fn grant(form: FormId) -> NewGrant {
    let day = |text| parse_day(text).unwrap();
    let grant = Grant {
        id: GrantId::random(),
        form,
        recorder: "00000099000003001000".parse().unwrap(),
        signed_on: day("2026-11-01"),
        evidence: [3; 32],
        person: Binding::parse(&"A".repeat(43)).unwrap(),
        recipient: "00000099000001001000".parse().unwrap(),
        role: "gem.klantmanager".parse().unwrap(),
        purpose: "REINTEGRATION".parse().unwrap(),
        source: "00000099000003001000".parse().unwrap(),
        fields: catalogue::from_codes(&["WT-02", "WT-03"]).unwrap(),
        sensitive: catalogue::from_codes::<&str>(&[]).unwrap(),
        excluded: Mask::EMPTY,
        given_by: GrantorKind::Client,
        context: Context::GuidanceTalk,
        uses: None,
        renews: None,
        valid_from: day("2026-11-01"),
        valid_until: day("2027-11-01"),
    };
    NewGrant {
        grant,
        jws: "a.signed.grant".to_owned(),
        countersignature: "a.countersignature.of".to_owned(),
        salt: vec![4; 32],
    }
}

async fn fill(log: &Writer) {
    let index = IndexKey::new([1; 32]);
    let tags: Vec<_> = bsns().take(40).map(|bsn| index.tag(&bsn)).collect();
    let requester: Oin = "00000099000001001000".parse().unwrap();
    let mut tasks = Vec::new();
    for n in 0..310_usize {
        let (log, tag) = (log.clone(), tags[n % 40]);
        tasks.push(tokio::spawn(async move {
            let entry = NewEntry {
                subject: SubjectLink::Tag { tag, keep: false },
                requester: Some(requester),
                purpose: Some("REINTEGRATION".parse().unwrap()),
                client: json!({ "user": n }),
                ..NewEntry::of_gateway(leaf::Kind::Request, json!({ "n": n }))
            };
            let mut claim = [0; 32];
            claim[..8].copy_from_slice(&n.to_be_bytes());
            let pair = entry.pair;
            log.commit(Work::Request { entry, claim: Some(claim) }).await.unwrap();
            if n % 50 != 7 {
                let detail = (n % 3 == 0).then(|| json!({ "reason": "NO_GRANT" }));
                let facts = json!({ "effect": "nothing" });
                let entry = NewEntry { pair, detail, ..NewEntry::of_gateway(leaf::Kind::Outcome, facts) };
                log.commit(Work::Outcome { entry, needs: vec![] }).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let once = NewEntry::of_gateway(leaf::Kind::Policy, json!({}));
    log.commit(Work::Once { entry: once, claim: [9; 32] }).await.unwrap();
    let entry = NewEntry::of_gateway(leaf::Kind::Erasure, json!({}));
    let disclosed_since = Timestamp::from_millis(0);
    log.commit(Work::Erase { entry, client: tags[39], claim: [39; 32], disclosed_since }).await.unwrap();
    let consent = |event: &str, subject| NewEntry {
        subject,
        ..NewEntry::of_gateway(leaf::Kind::Consent, json!({ "event": event }))
    };
    for (n, tag) in tags.iter().take(6).enumerate() {
        let id = FormId::random();
        let recorder = "00000099000003001000".parse().unwrap();
        let form =
            NewForm { id, recorder, jws: "a.signed.form".to_owned(), grants: vec![grant(id), grant(id)] };
        let released = form.grants[0].grant.id;
        let confirmed = vec![released];
        let entry = consent("recorded", SubjectLink::Tag { tag: *tag, keep: true });
        log.commit(Work::Record { entry, form, client: *tag, confirmed, stops: vec![] }).await.unwrap();
        if n % 2 == 1 {
            let opened = NewEntry::of_gateway(leaf::Kind::Request, json!({}));
            let pair = opened.pair;
            log.commit(Work::Request { entry: opened, claim: None }).await.unwrap();
            let fields = catalogue::from_codes(&["WT-02"]).unwrap();
            let needs = vec![Need { grant: released, fields, follows: None }];
            let entry = NewEntry { pair, ..NewEntry::of_gateway(leaf::Kind::Outcome, json!({})) };
            log.commit(Work::Outcome { entry, needs }).await.unwrap();
        } else {
            let entry = consent("withdrawn", SubjectLink::Tag { tag: *tag, keep: false });
            let change = Change::Withdraw { everything: false };
            let on = if n == 0 { Selection::Client(*tag) } else { Selection::Form(id) };
            log.commit(Work::Change { entry, on, by: recorder, change }).await.unwrap();
            let entry = consent("source_paused_all", SubjectLink::Nobody);
            let other = "00000099000003002000".parse().unwrap();
            log.commit(Work::PauseSource { entry, source: other, paused: true }).await.unwrap();
            let entry = consent("acknowledged", SubjectLink::Nobody);
            let cursor = Cursor { position: 3, day: 20_000 };
            log.commit(Work::Acknowledge { entry, by: recorder, cursor }).await.unwrap();
        }
    }
}

impl Log {
    pub(super) async fn new() -> Self {
        let log = Self { folder: tempfile::tempdir().unwrap() };
        log.begin().await;
        let (writer, task, store) = log.writer(log.folder.path()).await;
        fill(&writer).await;
        // Nothing is over, but it was looked for.
        let long_ago = Timestamp::from_millis(0);
        let looks = crate::storage::EntryTerm {
            record: "looks",
            kinds: &["access"],
            before: crate::domain::Clock::now(&SystemClock),
        };
        let terms = crate::storage::Terms {
            entries: vec![looks],
            consents: long_ago,
            key_year: Some(1970),
            request_ids: long_ago,
            erased: long_ago,
        };
        assert!(store.expire(&terms, 10).await.unwrap() > 0);
        drop(writer);
        task.await.unwrap();
        store.logboek_turn().await.unwrap().unwrap().acknowledged(0, 5).await.unwrap();
        store.close().await;
        log
    }

    /// A shard with a finished tile, and the beginning of the one after it.
    async fn begin(&self) {
        let store = Arc::new(SqliteStore::open(self.folder.path()).await.unwrap());
        let mut keys = self.keys();
        keys.log.make(1, ORIGIN).unwrap();
        let former = NoteSigner::new(FORMER, keys.log_key(0).unwrap()).unwrap();
        let (key, keys) = (former.verifier().to_string(), Arc::new(keys));
        let parts = Parts {
            store: Arc::<SqliteStore>::clone(&store),
            keys: Arc::clone(&keys),
            signer: former,
            clock: Arc::new(SystemClock),
        };
        let (writer, task) = Writer::start(parts, FORMER.to_owned()).await.unwrap();
        let entries = (0..260).map(|_| append(&writer));
        futures_util::future::try_join_all(entries).await.unwrap();
        let seal = NewEntry::of_gateway(leaf::Kind::Seal, json!({ "reason": "year" }));
        writer.commit(Work::Seal(seal)).await.unwrap();
        drop(writer);
        task.await.unwrap();
        let next = Next {
            from: &store.head().await.unwrap().unwrap(),
            key,
            number: 1,
            signer: &self.signer(),
            entries: vec![NewEntry::of_gateway(leaf::Kind::Genesis, json!({}))],
            gives_up: false,
        };
        open_next(store.as_ref(), &keys, &SystemClock, &next).await.unwrap();
        store.close().await;
    }

    fn keys(&self) -> KeyRing {
        KeyRing::open(&self.folder.path().join("keys")).unwrap()
    }

    fn signer(&self) -> NoteSigner {
        NoteSigner::new(ORIGIN, self.keys().log_key(1).unwrap()).unwrap()
    }

    /// A gateway's writer on this store.
    pub(super) async fn gateway(
        &self,
        store: Arc<dyn Store>,
    ) -> Result<(Writer, tokio::task::JoinHandle<()>), String> {
        let (keys, signer) = (Arc::new(self.keys()), self.signer());
        let parts = Parts { store, keys, signer, clock: Arc::new(SystemClock) };
        Writer::start(parts, ORIGIN.to_owned()).await.map_err(|fault| fault.to_string())
    }

    async fn writer(&self, folder: &Path) -> (Writer, tokio::task::JoinHandle<()>, Arc<SqliteStore>) {
        let store = Arc::new(SqliteStore::open(folder).await.unwrap());
        let (writer, task) = self.gateway(Arc::<SqliteStore>::clone(&store)).await.unwrap();
        (writer, task, store)
    }

    /// The same log in a folder of its own.
    pub(super) fn ground(&self) -> Ground {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(self.folder.path().join("sluis.db"), folder.path().join("sluis.db")).unwrap();
        Ground::Folder(folder)
    }

    /// The log itself, to copy from.
    pub(super) async fn open(&self) -> Database {
        Database::Sqlite(Arc::new(SqliteStore::open(self.folder.path()).await.unwrap()))
    }

    /// The same log in a store of this kind.
    pub(super) async fn at(&self, kind: Kind) -> Ground {
        let from = self.ground();
        if kind == Kind::Sqlite {
            return from;
        }
        let to = Ground::new(kind).await;
        let (source, target) = (from.open().await, to.open().await);
        copied(source.tables(), target.tables()).await.unwrap();
        source.shared().close().await;
        target.shared().close().await;
        to
    }

    pub(super) async fn export(&self) -> BTreeMap<String, Vec<u8>> {
        export_of(self.folder.path(), self).await
    }

    /// Ends every open request in the store in this folder.
    pub(super) async fn close_requests(&self, folder: &Path) {
        let (writer, task, store) = self.writer(folder).await;
        let open = store.open_requests(Timestamp::from_millis(i64::MAX)).await.unwrap();
        assert!(!open.is_empty());
        for request in open {
            let pair: PairId = request.pair;
            let entry = NewEntry { pair, ..NewEntry::of_gateway(leaf::Kind::Outcome, json!({})) };
            writer.commit(Work::Outcome { entry, needs: vec![] }).await.unwrap();
        }
        drop(writer);
        task.await.unwrap();
        store.close().await;
    }
}

/// One more entry.
pub(super) async fn append(writer: &Writer) -> Result<(), CommitFault> {
    let entry = NewEntry::of_gateway(leaf::Kind::Policy, json!({ "more": true }));
    writer.commit(Work::Append(entry)).await.map(drop)
}

/// Copies, with the proof of the real command.
pub(super) async fn copied(source: &dyn Tables, target: &dyn Tables) -> Result<Moved, CopyFault> {
    copy(source, target, &mut StoredCheck::default(), &mut |_| {}).await
}

/// Every row of every table that goes along.
pub(super) async fn rows_of(tables: &dyn Tables) -> BTreeMap<&'static str, BTreeSet<Vec<u8>>> {
    let mut session = tables.session().await.unwrap();
    let mut all = BTreeMap::new();
    for table in TABLES.iter().filter(|table| table.copied != Copied::Never) {
        let (mut rows, mut after): (BTreeSet<Vec<u8>>, Option<Vec<Value>>) = (BTreeSet::new(), None);
        loop {
            let page = session.read(table, after.as_deref(), 100).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(key_of(table, last));
            for row in &page {
                let mut bytes = Vec::new();
                row.iter().for_each(|value| value.encode(&mut bytes));
                assert!(rows.insert(bytes), "a row is read once");
            }
        }
        all.insert(table.name, rows);
    }
    all
}

async fn only(tables: &dyn Tables, table: &'static crate::storage::schema::Table) -> Option<Row> {
    tables.session().await.unwrap().read(table, None, 1).await.unwrap().pop()
}

/// What `moving` says, and whether the head, if there is one, has the batch that is named there.
pub(super) async fn moving_of(tables: &dyn Tables) -> Option<(String, Option<bool>)> {
    let row = only(tables, &MOVING).await?;
    let batch = &row[MOVING.column("batch").unwrap()];
    let state = row[MOVING.column("state").unwrap()].as_text().unwrap().to_owned();
    let head = only(tables, &HEAD).await;
    Some((state, head.map(|head| head[HEAD.column("batch").unwrap()] == *batch)))
}

/// Whether a gateway could start there and go on with the log.
pub(super) async fn is_writable(tables: &dyn Tables) -> bool {
    only(tables, &MOVING).await.is_none() && only(tables, &HEAD).await.is_some()
}

fn files(folder: &Path, below: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, below, found);
        } else {
            found.insert(path.strip_prefix(below).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

/// The export of the SQLite store in this folder, file by file, with everything that can go along.
pub(super) async fn export_of(folder: &Path, log: &Log) -> BTreeMap<String, Vec<u8>> {
    let store = SqliteStore::open(folder).await.unwrap();
    let out = tempfile::tempdir().unwrap();
    let openings = Openings { details: true, sealed: true };
    export(&store, out.path(), &[log.signer().verifier().clone()], openings, |_, _| {}).await.unwrap();
    store.close().await;
    let mut found = BTreeMap::new();
    files(out.path(), out.path(), &mut found);
    found.into_iter().map(|(path, bytes)| (path.to_str().unwrap().to_owned(), bytes)).collect()
}

/// The verifier's exit status for an export.
pub(super) fn verify(export: &BTreeMap<String, Vec<u8>>, log: &Log) -> u8 {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in export {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let trust = Some(vec![log.signer().verifier().clone()]);
    let report = verify_export(folder.path(), &VerifyOptions { trust, since: None, progress: None });
    status(&report)
}

/// Exit status for a log that nobody but a writer made: it has no `genesis`, and everything else has to hold.
fn status(report: &Report) -> u8 {
    let others = report.findings.iter().filter(|finding| finding.code != Code::GenesisMisplaced);
    others.map(|finding| finding.code.verdict()).max().map_or(0, Verdict::exit_code)
}
