//! Where consents are recorded, shown, confirmed and withdrawn. Every act, and every refusal of one, is in the log.

mod entries;
mod view;

use std::{sync::Arc, time::Instant};

use futures_util::future::join_all;
use serde_json::json;

pub use view::{ConsentView, GrantView};

use super::{
    Recording,
    record::{self, Submission},
};
use crate::{
    audit::{
        entry::{NewEntry, SubjectLink},
        writer::{CommitFault, Work, Writer},
    },
    domain::{Bsn, Clock, FormId, GrantId, Oin, Refusal, RefusalCode},
    identity::{Function, GatewayKind},
    rules::{Rules, Timing},
    source::PresentedGrant,
    storage::{NewForm, Store, StoredForm, Withdrawal},
    subject::KeyRing,
};

/// The desk of consents.
#[derive(Debug)]
pub struct ConsentDesk {
    /// What decides now; shared with the exchange.
    pub rules: Arc<arc_swap::ArcSwap<Rules>>,
    /// Where consents are.
    pub store: Arc<dyn Store>,
    /// The log.
    pub log: Writer,
    /// Keys of the gateway.
    pub keys: Arc<KeyRing>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Test or production.
    pub kind: GatewayKind,
    /// Times.
    pub timing: Timing,
}

/// What to withdraw, as a caller says it.
#[derive(Debug)]
pub enum Selector {
    /// One grant.
    Grant(GrantId),
    /// A form.
    Form(FormId),
    /// Everything of a client that the caller recorded or is a source of.
    Client(Bsn),
}

/// A recorded form.
#[derive(Debug)]
pub struct Recorded {
    /// Its id.
    pub form: FormId,
    /// Position of its entry in the log.
    pub position: u64,
    /// Its grants.
    pub grants: Vec<GrantView>,
}

impl ConsentDesk {
    /// Whether the caller is admitted in one of these functions (R14).
    ///
    /// # Errors
    /// If not.
    pub fn admit(&self, caller: Oin, functions: &[Function]) -> Result<(), Refusal> {
        let rules = self.rules.load();
        let organisation =
            rules.register.organisation(&caller).ok_or(RefusalCode::OrganisationNotAdmitted)?;
        if functions.iter().any(|function| organisation.functions.contains(function)) {
            Ok(())
        } else {
            Err(RefusalCode::FunctionNotHeld.into())
        }
    }

    /// Records a signed form. Sources that are not the recorder are asked to confirm their grants.
    ///
    /// # Errors
    /// The first rule that the form breaks; nothing is recorded then.
    pub async fn record(
        &self,
        caller: Oin,
        bsn: &str,
        form: &str,
        grants: Vec<(&str, &[u8])>,
    ) -> Result<Recorded, Refusal> {
        let arrival = Instant::now();
        let rules = self.rules.load_full();
        let checked = self.bsn(bsn).and_then(|bsn| {
            let today = self.clock.now().day();
            let submission = Submission { caller, bsn: &bsn, form, grants };
            let recording = record::check(&submission, &rules.register, &rules.policies, today)?;
            Ok((bsn, recording))
        });
        let (bsn, recording) = match checked {
            Ok(checked) => checked,
            Err(refusal) => return Err(self.refused(caller, "record", refusal).await),
        };
        let confirmed = self.reviews(&bsn, &recording, &rules).await;
        // A recorder that is itself a recipient must not learn whether a source knows the client: neither from the time
        // of the answer, nor from when the log grows (P09).
        if recording.grants().iter().any(|recorded| recorded.grant.recipient == caller) {
            tokio::time::sleep_until((arrival + self.timing.answer_after).into()).await;
        }
        let entry = entries::recorded(&recording, &confirmed, self.keys.index.tag(&bsn));
        let work = Work::Record { entry, form: new_form(&recording), confirmed: confirmed.clone() };
        let committed = match self.log.commit(work).await {
            Ok(committed) => committed,
            Err(fault) => return Err(self.unlogged(caller, "record", fault).await),
        };
        let now = self.clock.now();
        let grants = recording
            .grants()
            .iter()
            .map(|recorded| {
                let confirmed = confirmed.contains(&recorded.grant.id);
                GrantView::of_recording(&recorded.grant, confirmed, caller, now)
            })
            .collect();
        Ok(Recorded { form: recording.form().id, position: committed.position, grants })
    }

    /// Asks each source whether it confirms. Where recorder and source are one, recording is confirming.
    async fn reviews(&self, bsn: &Bsn, recording: &Recording, rules: &Rules) -> Vec<GrantId> {
        let wait = self.timing.source_wait;
        let reviews = recording.grants().iter().map(|recorded| async move {
            let grant = &recorded.grant;
            if grant.source == grant.recorder {
                return Some(grant.id);
            }
            let connector = rules.sources.get(&grant.source)?;
            let presented = PresentedGrant { jws: recorded.jws.clone(), salt: recorded.salt.clone() };
            let review = connector.review(bsn, &presented, wait);
            matches!(tokio::time::timeout(wait, review).await, Ok(Ok(true))).then_some(grant.id)
        });
        join_all(reviews).await.into_iter().flatten().collect()
    }

    /// A form, as the caller may see it.
    ///
    /// # Errors
    /// The same for a form that does not exist and for one that is not the caller's.
    pub async fn form(&self, caller: Oin, id: FormId) -> Result<ConsentView, Refusal> {
        let found = self.store.form(id).await.map_err(|_| unavailable())?;
        let client = json!({ "form": id });
        let subject = found.as_ref().map_or(SubjectLink::Nobody, |form| SubjectLink::Subject(form.subject));
        self.look(entries::looked(caller, "form", client, subject)).await?;
        found
            .and_then(|form| ConsentView::of(form, caller, self.clock.now()))
            .ok_or_else(|| RefusalCode::ConsentNotFound.into())
    }

    /// Forms of a client that the caller recorded.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn forms(&self, caller: Oin, bsn: &Bsn) -> Result<Vec<ConsentView>, Refusal> {
        let tag = self.keys.index.tag(bsn);
        let subject = SubjectLink::Tag { tag, keep: false };
        self.look(entries::looked(caller, "client", json!({}), subject)).await?;
        let found: Vec<StoredForm> = self.store.forms_of(&tag, caller).await.map_err(|_| unavailable())?;
        let now = self.clock.now();
        Ok(found.into_iter().filter_map(|form| ConsentView::of(form, caller, now)).collect())
    }

    /// Confirms a grant as its source. Returns the position in the log.
    ///
    /// # Errors
    /// If it is not a grant of this source, or was withdrawn or has ended.
    pub async fn confirm(&self, caller: Oin, id: GrantId) -> Result<u64, Refusal> {
        let found = self.store.grant(id).await.map_err(|_| unavailable())?;
        let Some(grant) = found.filter(|grant| grant.source == caller) else {
            return Err(self.refused(caller, "confirm", RefusalCode::ConsentNotFound.into()).await);
        };
        if grant.state.withdrawn || self.clock.now() >= grant.state.ends {
            return Err(self.refused(caller, "confirm", RefusalCode::GrantNotConfirmable.into()).await);
        }
        let work = Work::Confirm { entry: entries::confirmed(caller, &grant), grant: id };
        match self.log.commit(work).await {
            Ok(committed) => Ok(committed.position),
            Err(fault) => Err(self.unlogged(caller, "confirm", fault).await),
        }
    }

    /// Withdraws at once. Returns the position in the log: what stands after it was decided without these grants.
    ///
    /// # Errors
    /// If nothing of the caller matches an id. By client it is always the same success (P09).
    pub async fn withdraw(&self, caller: Oin, selector: Selector) -> Result<u64, Refusal> {
        let (selection, must_match) = match &selector {
            Selector::Grant(id) => (Withdrawal::Grant(*id), true),
            Selector::Form(id) => (Withdrawal::Form(*id), true),
            Selector::Client(bsn) => (Withdrawal::Client(self.keys.index.tag(bsn)), false),
        };
        let subject = match &selection {
            Withdrawal::Client(_) => None,
            Withdrawal::Grant(id) => {
                self.store.grant(*id).await.map_err(|_| unavailable())?.map(|g| g.subject)
            }
            Withdrawal::Form(id) => self.store.form(*id).await.map_err(|_| unavailable())?.map(|f| f.subject),
        };
        let entry = entries::withdrawn(caller, &selection, subject);
        let work = Work::Withdraw { entry, selection, by: caller, must_match };
        match self.log.commit(work).await {
            Ok(committed) => Ok(committed.position),
            Err(fault) => Err(self.unlogged(caller, "withdraw", fault).await),
        }
    }

    /// Reads a BSN that this gateway may handle.
    ///
    /// # Errors
    /// If it is malformed, or not for this gateway.
    pub fn bsn(&self, text: &str) -> Result<Bsn, Refusal> {
        crate::rules::bsn(text, self.kind)
    }

    /// Logs a look before anything is shown.
    async fn look(&self, entry: NewEntry) -> Result<(), Refusal> {
        let looked = self.log.commit(Work::Append(entry)).await;
        looked.map(|_| ()).map_err(|fault| RefusalCode::from(fault).into())
    }

    async fn unlogged(&self, caller: Oin, act: &str, fault: CommitFault) -> Refusal {
        let code = RefusalCode::from(fault.clone());
        match fault {
            CommitFault::FormUsed | CommitFault::NotFound => self.refused(caller, act, code.into()).await,
            _ => code.into(),
        }
    }

    /// Logs a refusal. Where even that fails, nothing is served.
    pub async fn refused(&self, caller: Oin, act: &str, refusal: Refusal) -> Refusal {
        match self.log.commit(Work::Append(entries::refused(caller, act, refusal.code))).await {
            Ok(_) => refusal,
            Err(fault) => RefusalCode::from(fault).into(),
        }
    }
}

fn unavailable() -> Refusal {
    RefusalCode::LogUnavailable.into()
}

fn new_form(recording: &Recording) -> NewForm {
    NewForm {
        id: recording.form().id,
        recorder: recording.form().recorder,
        jws: recording.jws().to_owned(),
        grants: recording
            .grants()
            .iter()
            .map(|recorded| (recorded.grant.clone(), recorded.jws.clone(), recorded.salt.bytes().to_vec()))
            .collect(),
    }
}
