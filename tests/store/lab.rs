//! A store for one test, and short words for what is put into it.

use std::sync::Arc;

use sluis::{
    audit::{
        entry::NewEntry,
        export::stored::{Openings, export},
        leaf::Kind,
        report::{Code, Report, Verdict},
        verify::{VerifyOptions, verify_export},
        writer::{Need, OpenLogFault, Parts, Work, Writer},
    },
    catalogue::{self, Mask},
    consent::{Binding, BindingSalt, Grant, form::Context, grantor::GrantorKind},
    domain::{
        Bsn, Clock, FormId, GrantId, Oin, PairId, Timestamp,
        time::{SystemClock, parse_day},
    },
    note::NoteSigner,
    storage::{
        Database, DatabaseAddress, EntryRow, Head, KeyRow, Look, NewForm, NewGrant, OpenFault, Opening, Seen,
        ShardPlace, Store, Writes,
    },
    subject::{KeyRing, Tag},
};
use sqlx::Connection as _;
use tempfile::TempDir;

use crate::database;

pub const ORIGIN: &str = "test.sluis.example/store/2026";
pub const WATERRIJK: &str = "00000099000001001000";
pub const UWV: &str = "00000099000002001000";
pub const KADE: &str = "00000099000003001000";

/// Where a store is. It goes when the test ends.
pub struct Place {
    pub folder: TempDir,
    pub address: DatabaseAddress,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { address: DatabaseAddress::Folder(folder.path().join("data")), folder }
    }

    pub async fn postgres() -> Self {
        Self::at(&database::fresh().await)
    }

    pub fn at(url: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), address: url.parse().unwrap() }
    }

    pub fn url(&self) -> &str {
        match &self.address {
            DatabaseAddress::Postgres(url) => url.reveal(),
            DatabaseAddress::Folder(_) => panic!("this is about PostgreSQL"),
        }
    }

    pub async fn open(&self) -> Arc<dyn Store> {
        loop {
            match Database::open(&self.address).await {
                Ok(database) => return database.shared(),
                // A writer that was dropped lets go of the file when its task has ended.
                Err(OpenFault::Locked) => tokio::task::yield_now().await,
                Err(fault) => panic!("{fault}"),
            }
        }
    }

    /// Runs statements on the database itself, which no store may have open.
    pub async fn run(&self, statements: &'static str) {
        match &self.address {
            DatabaseAddress::Folder(folder) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("sluis.db"));
                let mut file = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::raw_sql(statements).execute(&mut file).await.unwrap();
                file.close().await.unwrap();
            }
            DatabaseAddress::Postgres(url) => {
                let mut server = database::connect(url.reveal()).await;
                sqlx::raw_sql(statements).execute(&mut server).await.unwrap();
            }
        }
    }

    pub fn keys(&self) -> Arc<KeyRing> {
        Arc::new(KeyRing::open(&self.folder.path().join("keys")).unwrap())
    }

    pub async fn try_writer(
        &self,
        store: &Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Writer, OpenLogFault> {
        let keys = self.keys();
        let signer = NoteSigner::new(ORIGIN, keys.log_key(0).unwrap()).unwrap();
        let parts = Parts { store: Arc::clone(store), keys, signer, clock };
        Writer::start(parts, ORIGIN.to_owned()).await.map(|(writer, _)| writer)
    }

    pub async fn writer(&self, store: &Arc<dyn Store>) -> Writer {
        self.try_writer(store, Arc::new(SystemClock)).await.unwrap()
    }

    /// Exit status of the verifier for an export of this store.
    pub async fn verified(&self, store: &Arc<dyn Store>) -> u8 {
        let signer = NoteSigner::new(ORIGIN, self.keys().log_key(0).unwrap()).unwrap();
        let trust = vec![signer.verifier().clone()];
        let out = tempfile::tempdir().unwrap();
        let openings = Openings { details: true, sealed: true };
        export(store.as_ref(), out.path(), &trust, openings, |_, _| {}).await.unwrap();
        let options = VerifyOptions { trust: Some(trust), since: None, progress: None };
        status(&verify_export(out.path(), &options))
    }
}

/// Exit status for a log that nobody but a writer made: it has no `genesis`, and everything else has to hold.
pub fn status(report: &Report) -> u8 {
    let others = report.findings.iter().filter(|finding| finding.code != Code::GenesisMisplaced);
    others.map(|finding| finding.code.verdict()).max().map_or(0, Verdict::exit_code)
}

pub fn oin(text: &str) -> Oin {
    text.parse().unwrap()
}

pub fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_426_200_000 + millis)
}

/// Tag of the n-th made-up client.
pub fn tag(n: usize) -> Tag {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Tag::from_bytes(&bytes).unwrap()
}

/// A grant to Gemeente Waterrijk, recorded by De Kade.
pub fn grant(form: FormId, source: &str, until: &str) -> Grant {
    let codes = ["WT-02", "WT-03"];
    Grant {
        id: GrantId::random(),
        form,
        recorder: oin(KADE),
        signed_on: parse_day("2026-11-01").unwrap(),
        evidence: [1; 32],
        person: Binding::of(&BindingSalt::random().unwrap(), &Bsn::parse("999990019").unwrap()),
        recipient: oin(WATERRIJK),
        role: "gem.klantmanager".parse().unwrap(),
        purpose: "REINTEGRATION".parse().unwrap(),
        source: oin(source),
        fields: catalogue::from_codes(&codes).unwrap(),
        sensitive: Mask::EMPTY,
        excluded: Mask::EMPTY,
        given_by: GrantorKind::Client,
        context: Context::GuidanceTalk,
        uses: None,
        renews: None,
        valid_from: parse_day("2026-11-02").unwrap(),
        valid_until: parse_day(until).unwrap(),
    }
}

/// A form with one grant for each source.
pub fn form(sources: &[&str]) -> NewForm {
    let id = FormId::random();
    let of = |source: &&str| NewGrant {
        grant: grant(id, source, "2027-11-02"),
        jws: format!("jws of {source}"),
        countersignature: format!("countersignature for {source}"),
        salt: vec![7; 48],
    };
    NewForm {
        id,
        recorder: oin(KADE),
        jws: "jws of the form".to_owned(),
        grants: sources.iter().map(of).collect(),
    }
}

/// A row of the log with everything filled in, or with as little as there may be.
pub fn row(position: u64, kind: &'static str, whole: bool) -> EntryRow {
    let opening = |text: &str| Opening { json: text.as_bytes().to_vec(), salt: [position as u8; 32] };
    EntryRow {
        position,
        pair: PairId::random(),
        kind,
        time: time(position as i64),
        leaf: format!("leaf {position}").into_bytes(),
        facts: opening("{}"),
        detail: whole.then(|| opening("{\"detail\":1}")),
        sealed: vec![position as u8; 40],
        key_hash: [3; 32],
        subject: whole.then(sluis::domain::SubjectId::random),
        requester: whole.then(|| oin(WATERRIJK)),
        purpose: whole.then(|| "REINTEGRATION".parse().unwrap()),
    }
}

pub fn head(size: u64) -> Head {
    Head {
        origin: ORIGIN.to_owned(),
        place: ShardPlace::default(),
        size,
        time: time(size as i64),
        frontier: vec![size as u8; 40],
        checkpoint: format!("checkpoint of {size}"),
        batch: *PairId::random().bytes().as_slice().first_chunk().unwrap(),
        keys: Some([9; 32]),
    }
}

/// Nothing but a head of this size.
pub fn writes(size: u64) -> Writes {
    Writes::only(head(size))
}

pub fn key(n: usize, year: i32, expires: Option<Timestamp>) -> KeyRow {
    let subject = sluis::domain::SubjectId::random();
    KeyRow { tag: tag(n), year, subject, wrapped: vec![n as u8; 60], expires }
}

/// Writes a batch.
pub async fn put(store: &Arc<dyn Store>, writes: &Writes) {
    let (_, commit) = store.begin(&Look::default()).await.unwrap();
    commit.commit(writes).await.unwrap();
}

/// Looks, and changes nothing.
pub async fn look(store: &Arc<dyn Store>, look: &Look) -> Seen {
    let (seen, commit) = store.begin(look).await.unwrap();
    commit.abandon().await;
    seen
}

pub fn entry(n: usize) -> Work {
    Work::Append(NewEntry::of_gateway(Kind::Policy, serde_json::json!({ "n": n })))
}

pub fn request(pair: PairId, claim: Option<[u8; 32]>) -> Work {
    let entry = NewEntry { pair, ..NewEntry::of_gateway(Kind::Request, serde_json::json!({})) };
    Work::Request { entry, claim }
}

pub fn outcome(pair: PairId, needs: Vec<Need>) -> Work {
    let entry = NewEntry { pair, ..NewEntry::of_gateway(Kind::Outcome, serde_json::json!({})) };
    Work::Outcome { entry, needs }
}
