//! What becomes of agreements (convenanten), entered into the log (R17, R19): at a start and a reload before they decide
//! anything, and when a day passes. Each change is one entry, whichever instance sees it first.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};

use crate::{
    audit::{
        entry::NewEntry,
        leaf::{Kind, parse_facts},
        tree::sha256,
        writer::{CommitFault, Work, Writer},
    },
    domain::{Day, Oin},
    identity::{Agreement, AgreementState, Register},
    storage::{EntryFilter, Store, StoreFault},
};

#[cfg(test)]
mod tests;

/// In the log, the state of an agreement that is no longer in the file.
const REMOVED: &str = "removed";
/// How many entries are read at a time.
const PAGE: u32 = 500;
/// How often an entry is tried anew because another instance was faster; each time that one has entered something.
const ATTEMPTS: usize = 8;

/// How an agreement stands: its state, and the hash of what was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    state: String,
    hash: String,
}

/// The last entry about an agreement.
#[derive(Debug)]
struct Logged {
    position: u64,
    standing: Standing,
    facts: Map<String, Value>,
}

/// Follows the agreements of a gateway.
#[derive(Debug)]
pub(super) struct Agreements {
    log: Writer,
    store: Arc<dyn Store>,
    origin: String,
    /// What this instance saw last. What the log says is not enough: where instances have different files for a moment,
    /// each would go on undoing what the other entered.
    seen: BTreeMap<String, Standing>,
    /// The day that everything was looked at for; none after a look that failed.
    day: Option<Day>,
}

impl Agreements {
    pub(super) const fn new(log: Writer, store: Arc<dyn Store>, origin: String) -> Self {
        Self { log, store, origin, seen: BTreeMap::new(), day: None }
    }

    /// Before this register decides anything: enters whatever the log does not say yet, also that an agreement is gone.
    pub(super) async fn announce(&mut self, register: &Register, today: Day) -> Result<(), CommitFault> {
        self.day = None;
        let mut logged = self.logged().await?;
        self.enter_all(register, today, &mut logged).await?;
        let known = |id: &String| register.all_agreements().iter().any(|other| other.terms.id == *id);
        let gone: Vec<_> = logged.keys().filter(|id| !known(id)).cloned().collect();
        for id in gone {
            let Some(before) = logged.get(&id) else { continue };
            let standing = Standing { state: REMOVED.to_owned(), ..before.standing.clone() };
            let facts = before.facts.clone();
            self.enter(&id, &standing, facts, today, &mut logged).await?;
            if self.seen.remove(&id).is_some() {
                tracing::info!(agreement = id, "an agreement is no longer in the register");
            }
        }
        self.day = Some(today);
        Ok(())
    }

    /// When a day has passed since the last look: enters what has changed with it.
    pub(super) async fn follow(&mut self, register: &Register, today: Day) -> Result<(), CommitFault> {
        if self.day == Some(today) {
            return Ok(());
        }
        let changed = |agreement: &Agreement| {
            standing(agreement, today).map(|now| self.seen.get(&agreement.terms.id) != Some(&now))
        };
        let mut any = false;
        for agreement in register.all_agreements() {
            any |= changed(agreement)?;
        }
        if any {
            let mut logged = self.logged().await?;
            self.enter_all(register, today, &mut logged).await?;
        }
        self.day = Some(today);
        Ok(())
    }

    async fn enter_all(
        &mut self,
        register: &Register,
        today: Day,
        logged: &mut BTreeMap<String, Logged>,
    ) -> Result<(), CommitFault> {
        for agreement in register.all_agreements() {
            let id = &agreement.terms.id;
            let now = standing(agreement, today)?;
            // What this instance has announced stands until it sees something else itself.
            if self.seen.get(id) == Some(&now) && self.day.is_some() {
                continue;
            }
            let facts = facts(agreement, &now);
            self.enter(id, &now, facts, today, logged).await?;
            let before = self.seen.insert(id.clone(), now.clone());
            if before.is_none_or(|before| before.state != now.state) {
                tell(agreement, today);
            }
        }
        Ok(())
    }

    /// Enters how an agreement stands, unless that is what its last entry says. Only one entry can follow another one about
    /// the same agreement: the claim is on that place, and taken in the same transaction.
    async fn enter(
        &self,
        id: &str,
        now: &Standing,
        mut facts: Map<String, Value>,
        today: Day,
        logged: &mut BTreeMap<String, Logged>,
    ) -> Result<(), CommitFault> {
        for _ in 0..ATTEMPTS {
            let before = logged.get(id);
            if before.is_some_and(|before| before.standing == *now) {
                return Ok(());
            }
            facts.insert("state".to_owned(), json!(now.state));
            facts.insert("previous".to_owned(), json!(before.map(|before| before.standing.state.as_str())));
            facts.insert("on".to_owned(), json!(today.to_string()));
            let requester = facts.get("requester").and_then(Value::as_str);
            let requester = requester.and_then(|text| text.parse::<Oin>().ok());
            let entry = NewEntry::of_gateway(Kind::Agreement, Value::Object(facts.clone()));
            let entry = NewEntry { requester, ..entry };
            let claim = self.claim(id, before.map(|before| before.position));
            match self.log.commit(Work::Once { entry, claim }).await {
                Ok(_) => return Ok(()),
                Err(CommitFault::AlreadyDone) => *logged = self.logged().await?,
                Err(fault) => return Err(fault),
            }
        }
        Err(CommitFault::Unavailable("other gateways enter other agreements at the same time"))
    }

    /// The place after this entry about an agreement, or that of the first one.
    fn claim(&self, id: &str, after: Option<u64>) -> [u8; 32] {
        let after = after.map_or_else(|| "first".to_owned(), |position| position.to_string());
        let parts = ["sluis/v1/agreement-entry", self.origin.as_str(), id, after.as_str()];
        sha256(&[parts.join("\0").as_bytes()])
    }

    /// The last entry about each agreement.
    async fn logged(&self) -> Result<BTreeMap<String, Logged>, CommitFault> {
        let mut logged = BTreeMap::new();
        let mut below = None;
        // What was in force when this shard began stands in it too.
        let head = self.store.head().await.map_err(unreadable)?;
        let since = head.map(|head| head.place.first);
        loop {
            let kind = Some(Kind::Agreement.as_str().to_owned());
            let filter = EntryFilter { kind, below, since, limit: PAGE, ..EntryFilter::default() };
            let found = self.store.search(&filter).await.map_err(unreadable)?;
            for entry in &found {
                let facts = parse_facts(entry.facts_json()).ok_or_else(malformed)?;
                let text = |name: &str| {
                    facts.get(name).and_then(Value::as_str).map(ToOwned::to_owned).ok_or_else(malformed)
                };
                let (id, state, hash) = (text("id")?, text("state")?, text("agreement_sha256")?);
                let standing = Standing { state, hash };
                // Newest first: what is there already is newer.
                logged.entry(id).or_insert(Logged { position: entry.position, standing, facts });
            }
            let full = u32::try_from(found.len()).is_ok_and(|count| count == PAGE);
            match found.last().filter(|_| full) {
                Some(last) => below = Some(last.position),
                None => return Ok(logged),
            }
        }
    }
}

fn unreadable(fault: StoreFault) -> CommitFault {
    tracing::error!(%fault, "the entries about agreements cannot be read");
    CommitFault::Unavailable("the entries about agreements cannot be read")
}

const fn malformed() -> CommitFault {
    CommitFault::Unavailable("an entry about an agreement is not in its form")
}

fn hash(agreement: &Agreement) -> Result<String, CommitFault> {
    agreement.terms.hash().map_err(|_| CommitFault::Unavailable("an agreement has no canonical form"))
}

fn standing(agreement: &Agreement, today: Day) -> Result<Standing, CommitFault> {
    Ok(Standing { state: agreement.state(today).as_str().to_owned(), hash: hash(agreement)? })
}

/// What an entry says of an agreement: enough to check both signatures by the log and the register of participants.
fn facts(agreement: &Agreement, now: &Standing) -> Map<String, Value> {
    let (terms, signatures) = (&agreement.terms, &agreement.signatures);
    let facts = [
        ("id", json!(terms.id)),
        ("region", json!(terms.region)),
        ("source", json!(terms.source)),
        ("requester", json!(terms.requester)),
        ("purposes", json!(terms.purposes)),
        ("fields", json!(terms.codes())),
        ("starts", json!(terms.starts.to_string())),
        ("ends", json!(terms.ends.to_string())),
        ("review", json!(terms.review.to_string())),
        ("document_sha256", json!(hex::encode(terms.document_sha256))),
        ("renews", json!(terms.renews)),
        ("agreement_sha256", json!(now.hash)),
        (
            "signatures",
            json!({
                "source": { "kid": signatures.source.kid, "signature": signatures.source.text() },
                "requester": { "kid": signatures.requester.kid, "signature": signatures.requester.text() },
            }),
        ),
    ];
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Tells the operator what needs somebody to act (R19).
fn tell(agreement: &Agreement, today: Day) {
    let terms = &agreement.terms;
    let (id, source, requester, review) = (&terms.id, terms.source, terms.requester, terms.review);
    match agreement.state(today) {
        AgreementState::ReviewDue => tracing::warn!(
            agreement = id,
            %source,
            %requester,
            %review,
            "the review of an agreement is near; it lapses after that day unless it is renewed (R19)"
        ),
        AgreementState::Lapsed => tracing::error!(
            agreement = id,
            %source,
            %requester,
            %review,
            "an agreement has lapsed: its review date passed, and nothing is exchanged under it (R19)"
        ),
        AgreementState::Ended => {
            tracing::warn!(agreement = id, %source, %requester, ends = %terms.ends, "an agreement has ended");
        }
        AgreementState::NotYet | AgreementState::Active | AgreementState::Renewed => {}
    }
}
