//! Recording a signed form (vastleggen).

use std::time::Instant;

use futures_util::future::join_all;

use super::{
    ConsentDesk, entries, unavailable,
    view::{ConsentView, GrantView},
};
use crate::{
    audit::writer::Work,
    catalogue,
    consent::{
        Recording,
        countersign::Recorded as Countersigned,
        record::{self, RecordedGrant, Submission},
    },
    domain::{Bsn, FormId, GrantId, Oin, Refusal, RefusalCode},
    rules::Rules,
    source::PresentedGrant,
    storage::{NewForm, NewGrant},
};

/// A recorded form.
#[derive(Debug)]
pub struct Recorded {
    /// Its id.
    pub form: FormId,
    /// Position of its entry in the log; `None` where it was only checked.
    pub position: Option<u64>,
    /// Its grants.
    pub grants: Vec<GrantView>,
}

impl ConsentDesk {
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
        validate_only: bool,
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
        if validate_only {
            self.look(entries::validated(caller)).await?;
            let now = self.clock.now();
            let view = |recorded: &RecordedGrant| GrantView::of_draft(&recorded.grant, caller, now);
            let grants = recording.grants().iter().map(view).collect();
            return Ok(Recorded { form: recording.form().id, position: None, grants });
        }
        let countersigned = self.countersign(&recording, &rules)?;
        let confirmed = self.reviews(&bsn, &recording, &rules).await;
        // A recorder that is itself a recipient must not learn whether a source knows the client: neither from the time
        // of the answer, nor from when the log grows (P09).
        if recording.grants().iter().any(|recorded| recorded.grant.recipient == caller) {
            tokio::time::sleep_until((arrival + self.timing.answer_after).into()).await;
        }
        let tag = self.keys.index.tag(&bsn);
        let work = Work::Record {
            entry: entries::recorded(&recording, &confirmed, tag),
            form: new_form(&recording, &countersigned),
            client: tag,
            confirmed,
            stops: recording.stops(),
        };
        let position = self.act(caller, "record", work).await?;
        let id = recording.form().id;
        // As it stands now: what the client had said no to meanwhile is in it.
        let stored = self.store.form(id).await.map_err(|_| unavailable())?;
        let view = stored.and_then(|form| ConsentView::of(form, caller, self.clock.now()));
        let grants = view.map(|view| view.grants).ok_or_else(unavailable)?;
        Ok(Recorded { form: id, position: Some(position), grants })
    }

    fn countersign(&self, recording: &Recording, rules: &Rules) -> Result<Vec<String>, Refusal> {
        let now = self.clock.now();
        let unsigned = |_| RefusalCode::LogUnavailable;
        let sign = |RecordedGrant { grant, jws, .. }: &RecordedGrant| {
            let kind = |oin| rules.register.organisation(oin).map(|organisation| organisation.kind);
            let purpose = rules.policies.purpose(&grant.purpose);
            let basis = |found: Option<&str>| found.unwrap_or_default().to_owned();
            let found = Countersigned {
                origin: self.origin.clone(),
                catalogue: catalogue::VERSION.to_owned(),
                policy: rules.policies.hash().to_string(),
                basis_disclosure: basis(purpose.and_then(|p| p.basis_disclosure(kind(&grant.source)?))),
                basis_receipt: basis(purpose.and_then(|p| p.basis_receipt(kind(&grant.recipient)?))),
                ..Countersigned::at(now).map_err(|_| RefusalCode::LogUnavailable)?
            };
            let signed = self.countersigner.sign(grant, jws, recording.jws(), found).map_err(unsigned)?;
            Ok(signed)
        };
        recording.grants().iter().map(sign).collect()
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
            let presented = PresentedGrant {
                jws: recorded.jws.clone(),
                salt: recorded.salt.clone(),
                reconfirmation: None,
                countersignature: None,
            };
            let review = connector.review(bsn, &presented, wait);
            matches!(tokio::time::timeout(wait, review).await, Ok(Ok(true))).then_some(grant.id)
        });
        join_all(reviews).await.into_iter().flatten().collect()
    }
}

fn new_form(recording: &Recording, countersigned: &[String]) -> NewForm {
    let grant = |(recorded, countersignature): (&RecordedGrant, &String)| NewGrant {
        grant: recorded.grant.clone(),
        jws: recorded.jws.clone(),
        countersignature: countersignature.clone(),
        salt: recorded.salt.bytes().to_vec(),
    };
    NewForm {
        id: recording.form().id,
        recorder: recording.form().recorder,
        jws: recording.jws().to_owned(),
        grants: recording.grants().iter().zip(countersigned).map(grant).collect(),
    }
}
