//! A log that grows as a gateway's does: clients consent, are asked about, and something of them is released now and then.

use std::{
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::json;
use sluis::{
    audit::{
        entry::{NewEntry, SubjectLink},
        leaf::Kind,
        lookup,
        writer::{Need, Parts, Work, Writer},
    },
    catalogue::{self, Mask},
    consent::{Binding, BindingSalt, Grant, form::Context, grantor::GrantorKind},
    domain::{Bsn, Clock as _, FormId, GrantId, PairId, Purpose, Role, random, time::SystemClock},
    note::{NoteSigner, VerifierKey},
    storage::{Database, DatabaseAddress, DisclosureFilter, EntryFilter, NewForm, NewGrant, Store},
    subject::{KeyRing, Tag},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{
    common::Fault,
    log::{ORIGIN, REQUESTER, detail, entry, outcome, request},
    timed::Timed,
};

const SOURCE: &str = "00000099000003001000";
const FIELDS: [&str; 2] = ["VW-02", "VW-04"];
/// Requests in a batch of building; with the forms of new clients it is as many as the writer takes at once.
const REQUESTS: usize = 1_000;
/// Forms in such a batch: a client for about 85 entries.
const FORMS: usize = 24;
/// One in so many outcomes releases something.
const RELEASES: usize = 4;
/// How often each thing is timed.
const TIMES: usize = 300;

/// What a log of one size is like.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Growth {
    /// Entries.
    pub entries: u64,
    /// Clients.
    pub clients: usize,
    /// Entries a second while it grew to that, in batches of 1,024 and 1,000.
    pub built_per_second: f64,
    /// A commit of one entry, by one caller.
    pub commit: Timed,
    /// An inclusion proof of an entry anywhere in the log, from what is stored.
    pub proof: Timed,
    /// The grants of a client for one recipient, as every request reads them.
    pub grants: Timed,
    /// What left about a client.
    pub disclosures: Timed,
    /// Fifty entries of a hundredth of a second, anywhere in the log.
    pub search: Timed,
    /// Opening the database.
    pub open_ms: f64,
    /// Starting the writer on it.
    pub start_ms: f64,
    /// Bytes of the database for each entry, with indexes, tiles, consents and keys.
    pub bytes_per_entry: f64,
}

struct Client {
    tag: Tag,
    grant: GrantId,
}

/// A log that grows.
pub struct Grown {
    folder: TempDir,
    keys: Arc<KeyRing>,
    running: Option<(Arc<dyn Store>, Writer, JoinHandle<()>)>,
    clients: Vec<Client>,
    size: u64,
    turn: usize,
}

impl Grown {
    /// Begins one.
    pub async fn begin() -> Result<Self, Fault> {
        let folder = tempfile::tempdir()?;
        let keys = Arc::new(KeyRing::open(&folder.path().join("keys"))?);
        let mut grown = Self { folder, keys, running: None, clients: Vec::new(), size: 0, turn: 0 };
        grown.start().await?;
        Ok(grown)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn signer(&self) -> Result<NoteSigner, Fault> {
        Ok(NoteSigner::new(ORIGIN, self.keys.log_key(0)?)?)
    }

    /// With which it verifies.
    pub fn trust(&self) -> Result<Vec<VerifierKey>, Fault> {
        Ok(vec![self.signer()?.verifier().clone()])
    }

    /// Where it is stored.
    pub fn store(&self) -> Result<&Arc<dyn Store>, Fault> {
        Ok(&self.running.as_ref().ok_or("the log does not run")?.0)
    }

    fn writer(&self) -> Result<&Writer, Fault> {
        Ok(&self.running.as_ref().ok_or("the log does not run")?.1)
    }

    /// Opens it and starts its writer. Gives how long either took.
    async fn start(&mut self) -> Result<(Duration, Duration), Fault> {
        let begun = Instant::now();
        let store = Database::open(&DatabaseAddress::Folder(self.data())).await?.shared();
        let opened = begun.elapsed();
        let (keys, clock) = (Arc::clone(&self.keys), Arc::new(SystemClock));
        let parts = Parts { store: Arc::clone(&store), keys, signer: self.signer()?, clock };
        let (writer, task) = Writer::start(parts, ORIGIN.to_owned()).await?;
        let ready = begun.elapsed();
        if store.head().await?.is_none() {
            writer.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, json!({})))).await?;
        }
        self.running = Some((store, writer, task));
        Ok((opened, ready.saturating_sub(opened)))
    }

    async fn stop(&mut self) {
        if let Some((store, writer, task)) = self.running.take() {
            drop(writer);
            drop(task.await);
            store.close().await;
        }
    }

    /// Ends it in order.
    pub async fn end(mut self) {
        self.stop().await;
    }

    /// Commits these at once.
    async fn commit(&mut self, works: Vec<Work>) -> Result<(), Fault> {
        let writer = self.writer()?.clone();
        let committed = join_all(works.into_iter().map(|work| writer.commit(work))).await;
        for committed in committed {
            self.size = self.size.max(committed?.position + 1);
        }
        Ok(())
    }

    /// Lets it grow to at least so many entries. Gives how many a second.
    pub async fn grow_to(&mut self, size: u64) -> Result<f64, Fault> {
        let (begun, before) = (Instant::now(), self.size);
        while self.size < size {
            let mut works = Vec::with_capacity(FORMS + REQUESTS);
            let mut fresh = Vec::with_capacity(FORMS);
            for _ in 0..FORMS {
                let (client, work) = consents()?;
                fresh.push(client);
                works.push(work);
            }
            self.clients.append(&mut fresh);
            let mut outcomes = Vec::with_capacity(REQUESTS);
            for _ in 0..REQUESTS {
                let (asked, answered) = self.exchange()?;
                works.push(asked);
                outcomes.push(answered);
            }
            self.commit(works).await?;
            self.commit(outcomes).await?;
        }
        Ok((self.size - before) as f64 / begun.elapsed().as_secs_f64())
    }

    /// A client somewhere.
    fn client(&self, turn: usize) -> Result<&Client, Fault> {
        // Far from the last, whatever their number.
        let at = turn.wrapping_mul(2_654_435_761) % self.clients.len().max(1);
        self.clients.get(at).ok_or_else(|| "there are no clients".into())
    }

    /// An entry somewhere.
    fn position(&self, turn: usize) -> u64 {
        (turn as u64).wrapping_mul(2_654_435_761) % self.size
    }

    /// A request about some client, and its outcome.
    fn exchange(&mut self) -> Result<(Work, Work), Fault> {
        self.turn += 1;
        let (pair, client) = (PairId::random(), self.client(self.turn)?);
        let asked = entry(Kind::Request, pair, client.tag, request())?;
        let answered =
            NewEntry { detail: Some(detail()), ..entry(Kind::Outcome, pair, client.tag, outcome())? };
        let needs = if self.turn.is_multiple_of(RELEASES) {
            vec![Need { grant: client.grant, fields: fields()?, follows: None }]
        } else {
            Vec::new()
        };
        let asked = Work::Request { entry: asked, claim: Some(random::bytes()?) };
        Ok((asked, Work::Outcome { entry: answered, needs }))
    }

    /// What it is like at this size.
    pub async fn measure(&mut self, built_per_second: f64) -> Result<Growth, Fault> {
        let mut works = Vec::new();
        for _ in 0..TIMES / 2 {
            let (asked, answered) = self.exchange()?;
            works.extend([answered, asked]);
        }
        let commit = Timed::of(TIMES, async |_| {
            let work = works.pop().ok_or("there are no works")?;
            self.commit(vec![work]).await
        })
        .await?;
        let store = Arc::clone(self.store()?);
        let proof = Timed::of(TIMES, async |n| {
            lookup::proof(store.as_ref(), self.position(n)).await?;
            Ok(())
        });
        let proof = proof.await?;
        let (recipient, role, purpose) = (REQUESTER.parse()?, role()?, purpose()?);
        let grants = Timed::of(TIMES, async |n| {
            let found = store.grants(&self.client(n)?.tag, recipient, role, &purpose).await?;
            if found.is_empty() { Err("the client has no grant".into()) } else { Ok(()) }
        });
        let grants = grants.await?;
        let disclosures = Timed::of(TIMES, async |n| {
            let client = Some(self.client(n)?.tag);
            let filter = DisclosureFilter { source: None, grants: None, client, below: None, limit: 50 };
            store.disclosures(&filter).await?;
            Ok(())
        });
        let disclosures = disclosures.await?;
        let mut moments = Vec::with_capacity(TIMES);
        for n in 0..TIMES {
            let found = store.entries(self.position(n), 1).await?;
            let found = found.first().ok_or("an entry is missing")?;
            moments.push(sluis::audit::leaf::Leaf::parse(&found.leaf)?.time);
        }
        let search = Timed::of(TIMES, async |n| {
            let from = *moments.get(n).ok_or("there are no moments")?;
            let until = Some(from.plus_millis(10));
            let filter = EntryFilter { from: Some(from), until, limit: 50, ..EntryFilter::default() };
            let found = store.search(&filter).await?;
            if found.is_empty() { Err("an entry is not found".into()) } else { Ok(()) }
        });
        let search = search.await?;
        drop(store);

        // Closed, the write-ahead log is in the file.
        self.stop().await;
        let bytes = fs::metadata(self.data().join("sluis.db"))?.len();
        let (opened, started) = self.start().await?;
        Ok(Growth {
            entries: self.size,
            clients: self.clients.len(),
            built_per_second,
            commit,
            proof,
            grants,
            disclosures,
            search,
            open_ms: opened.as_secs_f64() * 1e3,
            start_ms: started.as_secs_f64() * 1e3,
            bytes_per_entry: bytes as f64 / self.size as f64,
        })
    }
}

fn role() -> Result<Role, Fault> {
    Ok("gem.klantmanager".parse()?)
}

fn purpose() -> Result<Purpose, Fault> {
    Ok("REINTEGRATION".parse()?)
}

fn fields() -> Result<Mask, Fault> {
    catalogue::from_codes(&FIELDS).map_err(|_| "an unknown field".into())
}

/// A client who consents, with one grant that holds for a year.
fn consents() -> Result<(Client, Work), Fault> {
    let (form, grant, tag) = (FormId::random(), GrantId::random(), random::bytes::<32>()?);
    let tag = Tag::from_bytes(&tag).ok_or("a tag has 32 bytes")?;
    let now = SystemClock.now();
    let day = |days: i64| now.plus_millis(days * 86_400_000).day();
    let new = NewGrant {
        grant: Grant {
            id: grant,
            form,
            recorder: SOURCE.parse()?,
            signed_on: day(-2),
            evidence: [1; 32],
            person: Binding::of(&BindingSalt::random()?, &Bsn::parse("999990019")?),
            recipient: REQUESTER.parse()?,
            role: role()?,
            purpose: purpose()?,
            source: SOURCE.parse()?,
            fields: fields()?,
            sensitive: Mask::EMPTY,
            excluded: Mask::EMPTY,
            given_by: GrantorKind::Client,
            context: Context::GuidanceTalk,
            uses: None,
            renews: None,
            valid_from: day(-1),
            valid_until: day(365),
        },
        // About as long as they are.
        jws: "j".repeat(1_400),
        countersignature: "c".repeat(400),
        salt: vec![7; 48],
    };
    let form = NewForm { id: form, recorder: SOURCE.parse()?, jws: "j".repeat(1_600), grants: vec![new] };
    let facts = json!({ "event": "recorded", "by": SOURCE, "grants": 1 });
    let entry = entry(Kind::Consent, PairId::random(), tag, facts)?;
    let entry = NewEntry { subject: SubjectLink::Tag { tag, keep: true }, ..entry };
    let work = Work::Record { entry, form, client: tag, confirmed: vec![grant], stops: Vec::new() };
    Ok((Client { tag, grant }, work))
}
