//! What becomes of a consent: confirming, reconfirming, pausing, resuming, withdrawing, invalidating. Who may, and whether
//! it can still happen, is decided where nothing else can come between: in the commit (`audit::writer::grants`).

use super::{ConsentDesk, entries, unavailable};
use crate::{
    audit::writer::{Change, Work},
    consent::{
        Form,
        form::FORM_TYPE,
        jws,
        reconfirmation::{RECONFIRMATION_TYPE, Reconfirmation},
        record,
    },
    domain::{Bsn, FormId, GrantId, Oin, Refusal, RefusalCode, SubjectId},
    storage::{DisclosureFilter, Selection, StoredDisclosure},
};

/// Which grants an act is about, as a caller says it.
#[derive(Debug)]
pub enum Selector {
    /// One grant.
    Grant(GrantId),
    /// A form.
    Form(FormId),
    /// Everything of a client that the caller recorded or is a source of.
    Client(Bsn),
    /// Everything of a client, whoever recorded it, because he says so.
    Everything(Bsn),
}

/// Why a form should never have been recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidationReason {
    /// It is about another person.
    WrongPerson,
    /// It is another form than the one that was signed.
    WrongForm,
    /// Nobody who may has signed it.
    NotSigned,
}

impl InvalidationReason {
    /// The code in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongPerson => "WRONG_PERSON",
            Self::WrongForm => "WRONG_FORM",
            Self::NotSigned => "NOT_SIGNED",
        }
    }
}

/// Most disclosures that an invalidation lists.
const MAX_LISTED: u32 = 10_000;

impl ConsentDesk {
    /// Confirms a grant as its source. Returns the position in the log.
    ///
    /// # Errors
    /// If it is not a grant of this source, or was over before it was confirmed. Again is harmless.
    pub async fn confirm(&self, caller: Oin, id: GrantId) -> Result<u64, Refusal> {
        let found = self.store.grant(id).await.map_err(|_| unavailable())?;
        let renews = found.as_ref().and_then(|grant| grant.standing.renews);
        self.change(caller, "confirm", &Selector::Grant(id), Change::Confirm { renews }, &[]).await
    }

    /// Records that the client confirmed a form where he was free (R13).
    ///
    /// # Errors
    /// If it is not signed by the caller, not about a form of the caller's, or not of another, free talk.
    pub async fn reconfirm(&self, caller: Oin, text: &str) -> Result<u64, Refusal> {
        let rules = self.rules.load_full();
        let today = self.clock.now().day();
        let typ = RECONFIRMATION_TYPE;
        let read = record::verify(text, typ, "reconfirmation", &rules.register, caller, today)
            .and_then(|payload| Reconfirmation::parse(&payload));
        let reconfirmation = match read {
            Ok(reconfirmation) if reconfirmation.recorder == caller => reconfirmation,
            Ok(_) => {
                let refusal = Refusal::at(
                    RefusalCode::FormRecorderMismatch,
                    "reconfirmation.recorder",
                    "must be the caller",
                );
                return Err(self.refused(caller, "reconfirm", refusal).await);
            }
            Err(refusal) => return Err(self.refused(caller, "reconfirm", refusal).await),
        };
        let id = reconfirmation.form;
        let found = self.store.form(id).await.map_err(|_| unavailable())?;
        let Some(stored) = found.filter(|form| form.recorder == caller) else {
            return Err(self.refused(caller, "reconfirm", RefusalCode::ConsentNotFound.into()).await);
        };
        let form = jws::stored_payload(&stored.jws, FORM_TYPE).ok();
        let form = form.and_then(|payload| Form::parse(&payload).ok()).ok_or_else(unavailable)?;
        let checked = if form.collection.context.is_free() {
            let text = "is a form that was signed freely, and needs none";
            Err(Refusal::at(RefusalCode::ReconfirmationInvalid, "reconfirmation.form_id", text))
        } else {
            reconfirmation.check(form.evidence.signed_on, today)
        };
        if let Err(refusal) = checked {
            return Err(self.refused(caller, "reconfirm", refusal).await);
        }
        let renews = stored.grants.iter().filter_map(|grant| grant.standing.renews).collect();
        let change = Change::Reconfirm { jws: text.to_owned(), renews };
        self.change(caller, "reconfirm", &Selector::Form(id), change, &[]).await
    }

    /// Stops a grant or a form for a time, as its recorder or source.
    ///
    /// # Errors
    /// If nothing of the caller matches, or it is over.
    pub async fn pause(&self, caller: Oin, selector: &Selector) -> Result<u64, Refusal> {
        self.change(caller, "pause", selector, Change::Pause, &[]).await
    }

    /// Lifts a pause that the caller put on. Another's stands.
    ///
    /// # Errors
    /// If nothing of the caller matches, or it is over.
    pub async fn resume(&self, caller: Oin, selector: &Selector) -> Result<u64, Refusal> {
        self.change(caller, "resume", selector, Change::Resume, &[]).await
    }

    /// Withdraws at once. Returns the position in the log: what stands after it was decided without these grants.
    ///
    /// # Errors
    /// If nothing of the caller matches an id. By client it is always the same success (P09).
    pub async fn withdraw(&self, caller: Oin, selector: &Selector) -> Result<u64, Refusal> {
        let everything = matches!(selector, Selector::Everything(_));
        self.change(caller, "withdraw", selector, Change::Withdraw { everything }, &[]).await
    }

    /// Says that a form or grant should never have been recorded. Lists what was released under it, newest first, and
    /// raises an alarm: it may be a breach (datalek).
    ///
    /// # Errors
    /// If nothing of the caller matches.
    pub async fn invalidate(
        &self,
        caller: Oin,
        selector: &Selector,
        reason: InvalidationReason,
    ) -> Result<(u64, Vec<StoredDisclosure>), Refusal> {
        let more = [("reason", reason.as_str())];
        let position = self.change(caller, "invalidate", selector, Change::Invalidate, &more).await?;
        let grants = match selector {
            Selector::Grant(id) => vec![*id],
            Selector::Form(id) => {
                let form = self.store.form(*id).await.map_err(|_| unavailable())?;
                form.into_iter().flat_map(|form| form.grants).map(|grant| grant.standing.id).collect()
            }
            Selector::Client(_) | Selector::Everything(_) => Vec::new(),
        };
        let filter = DisclosureFilter {
            source: None,
            grants: Some(grants),
            client: None,
            below: None,
            limit: MAX_LISTED,
        };
        let released = self.store.disclosures(&filter).await.map_err(|_| unavailable())?;
        tracing::error!(
            position,
            released = released.len(),
            recorder = %caller,
            "a consent was invalidated; what was released under it may be a breach"
        );
        Ok((position, released))
    }

    /// Pauses everything of the calling source, or lifts that again.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub async fn pause_source(&self, caller: Oin, paused: bool) -> Result<u64, Refusal> {
        let event = if paused { "source_paused_all" } else { "source_resumed_all" };
        let work = Work::PauseSource { entry: entries::of_source(caller, event), source: caller, paused };
        self.act(caller, event, work).await
    }

    async fn change(
        &self,
        caller: Oin,
        act: &str,
        selector: &Selector,
        change: Change,
        more: &[(&str, &str)],
    ) -> Result<u64, Refusal> {
        let on = match selector {
            Selector::Grant(id) => Selection::Grant(*id),
            Selector::Form(id) => Selection::Form(*id),
            Selector::Client(bsn) | Selector::Everything(bsn) => Selection::Client(self.keys.index.tag(bsn)),
        };
        let subject = self.subject(&on).await?;
        let entry = entries::changed(caller, &change, &on, subject, more);
        self.act(caller, act, Work::Change { entry, on, by: caller, change }).await
    }

    /// Whose consent it is; by client the writer knows.
    async fn subject(&self, on: &Selection) -> Result<Option<SubjectId>, Refusal> {
        let found = match on {
            Selection::Client(_) => return Ok(None),
            Selection::Grant(id) => self.store.grant(*id).await.map(|g| g.map(|g| g.standing.subject)),
            Selection::Form(id) => self.store.form(*id).await.map(|f| f.map(|f| f.subject)),
        };
        found.map_err(|_| unavailable())
    }
}
