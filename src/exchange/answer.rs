//! The answer, built up from the mask of each permit (P02). It exists as a draft until its outcome is committed.

use std::time::{Duration, Instant};

use super::{
    HAND_OVER, Passage,
    admission::Admitted,
    asking::Part,
    decision::PolicyStep,
    received::{Question, Received},
};
use crate::{
    audit::{
        leaf, receipt,
        writer::{Committed, Need, ReleaseGrant},
    },
    catalogue::{self, Mask},
    domain::{Oin, QueryId, Reason, Refusal, RefusalCode, Timestamp, random},
    proto,
    source::Surplus,
};

/// What one source came to, for the log.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) source: Oin,
    pub(super) agreements: Vec<String>,
    pub(super) step: PolicyStep,
    pub(super) query: Option<QueryId>,
    pub(super) asked: Mask,
    pub(super) released: Mask,
    pub(super) reason: Reason,
    pub(super) grants: Vec<Need>,
    pub(super) surplus: Surplus,
}

/// An answer before its outcome is in the log. It cannot leave: only [`Draft::hand_over`] and
/// [`Draft::nothing_provided`] make a [`Reply`], and content needs a [`ReleaseGrant`].
#[derive(Debug)]
pub(super) struct Draft {
    message: proto::RequestWorkCapacityResponse,
    salt: [u8; 32],
    pub(super) outcomes: Vec<Outcome>,
    pub(super) above_ceiling: Mask,
    pub(super) not_provided: Mask,
}

/// An answer that may leave.
#[derive(Debug)]
pub struct Reply {
    message: proto::RequestWorkCapacityResponse,
    /// Until when it may be handed to the transport (P05). The same for an answer without content, so that being dropped
    /// tells nothing either (P09).
    deadline: Instant,
}

fn paths(mask: Mask) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: catalogue::to_paths(mask) })
}

impl Draft {
    pub(super) fn build(
        passage: &Passage,
        question: &Question,
        admitted: &Admitted,
        parts: Vec<Part>,
        now: Timestamp,
        use_for: Duration,
    ) -> Result<Self, Refusal> {
        let use_until = now.plus_millis(i64::try_from(use_for.as_millis()).unwrap_or(i64::MAX));
        let mut disclosures = Vec::new();
        let mut outcomes = Vec::with_capacity(parts.len());
        let mut provided = Mask::EMPTY;
        for part in parts {
            let mut outcome = Outcome {
                source: part.source,
                agreements: part.agreements,
                step: part.step,
                query: part.query,
                asked: Mask::EMPTY,
                released: Mask::EMPTY,
                reason: Reason::Released,
                grants: Vec::new(),
                surplus: Surplus::default(),
            };
            // A source that gave nothing was asked all the same, and the log says what.
            if let Ok((allowed, _)) = &part.result {
                outcome.asked = allowed.permit.fields();
            }
            match part.result {
                Err(reason) | Ok((_, Err(reason))) => outcome.reason = reason,
                Ok((allowed, Ok(statement))) => {
                    let permit = &allowed.permit;
                    outcome.surplus = statement.surplus;
                    let source = passage.rules.register.organisation(&part.source);
                    match (source, statement.checked.release(permit.fields(), now.day())) {
                        (_, Err(_)) => outcome.reason = Reason::SourceInvalid,
                        (Some(source), Ok((leaving, released))) if !released.is_empty() => {
                            outcome.released = released;
                            // Grants that gave nothing need not be in force for what others gave.
                            outcome.grants = allowed
                                .grants
                                .iter()
                                .map(|usable| Need {
                                    grant: usable.grant.standing.id,
                                    fields: usable.fields.and(released),
                                    follows: allowed.follows,
                                })
                                .filter(|need| !need.fields.is_empty())
                                .collect();
                            provided = provided.or(released);
                            disclosures.push(proto::Disclosure {
                                source: Some(proto::SourceOrganisation {
                                    oin: source.oin.to_string(),
                                    name: source.name.clone(),
                                    contact_role: source.contact.role.clone(),
                                    contact_phone: source.contact.phone.clone(),
                                }),
                                work_capacity: Some(leaving),
                                duties: Some(proto::Duties {
                                    purpose: question.purpose.to_string(),
                                    use_until: Some(use_until.to_proto()),
                                    onward_sharing_allowed: false,
                                    complaint_contact: source.complaint.clone(),
                                }),
                            });
                        }
                        _ => outcome.reason = Reason::SourceHoldsNothing,
                    }
                }
            }
            outcomes.push(outcome);
        }
        let not_provided = admitted.within.minus(provided);
        let message = proto::RequestWorkCapacityResponse {
            request_id: passage.received.request_id.map(|id| id.to_string()).unwrap_or_default(),
            purpose: question.purpose.to_string(),
            disclosures,
            above_ceiling: paths(admitted.above_ceiling),
            not_provided: paths(not_provided),
            receipt: None,
        };
        Ok(Self {
            message,
            salt: random::bytes().map_err(|_| Refusal::from(RefusalCode::LogUnavailable))?,
            outcomes,
            above_ceiling: admitted.above_ceiling,
            not_provided,
        })
    }

    /// Whether everything below the ceiling was provided.
    pub(super) const fn is_complete(&self) -> bool {
        self.not_provided.is_empty()
    }

    /// Whether anything would be released.
    pub(super) fn releases(&self) -> bool {
        !self.message.disclosures.is_empty()
    }

    /// Grants that must be in force at the commit.
    pub(super) fn needs(&self) -> Vec<Need> {
        self.outcomes.iter().flat_map(|outcome| outcome.grants.iter().copied()).collect()
    }

    /// What sources delivered too much.
    pub(super) fn surplus(&self) -> Vec<(Oin, QueryId, Surplus)> {
        let with_surplus = self.outcomes.iter().filter(|outcome| !outcome.surplus.is_empty());
        with_surplus.filter_map(|outcome| Some((outcome.source, outcome.query?, outcome.surplus))).collect()
    }

    /// Commitment to the answer, for the outcome entry. Its salt leaves with the answer and is stored nowhere: values
    /// of few bits could be guessed by whoever holds it.
    pub(super) fn commitment(&self) -> [u8; 32] {
        leaf::commit_answer(&self.salt, &receipt::answer_bytes(&self.message))
    }

    /// The same answer without content: a grant fell away between the decision and the commit. Everything is left
    /// out, though another source's grant may still hold: a moment's caution costs one repeated request.
    pub(super) fn without_content(mut self) -> Self {
        for outcome in &mut self.outcomes {
            self.not_provided = self.not_provided.or(outcome.released);
            if outcome.reason == Reason::Released {
                outcome.reason = Reason::WithdrawnBeforeCommit;
            }
            outcome.released = Mask::EMPTY;
        }
        self.message.disclosures.clear();
        self.message.not_provided = paths(self.not_provided);
        self
    }

    /// The answer with its receipt, now that its outcome is in the log.
    pub(super) fn hand_over(mut self, grant: &ReleaseGrant, request: &Committed) -> Reply {
        let outcome = grant.committed();
        self.message.receipt = Some(proto::Receipt {
            entries: vec![request.open(true), outcome.open(false)],
            answer_salt: self.salt.to_vec(),
        });
        Reply { message: self.message, deadline: outcome.at + HAND_OVER }
    }

    /// The answer that provides nothing. Its receipt opens the request alone.
    pub(super) fn nothing_provided(mut self, request: &Committed, outcome: &Committed) -> Reply {
        self.message.disclosures.clear();
        self.message.receipt =
            Some(proto::Receipt { entries: vec![request.open(true)], answer_salt: Vec::new() });
        Reply { message: self.message, deadline: outcome.at + HAND_OVER }
    }
}

impl Reply {
    pub(super) fn validated(received: &Received, admitted: &Admitted, outcome: &Committed) -> Self {
        let message = proto::RequestWorkCapacityResponse {
            request_id: received.request_id.map(|id| id.to_string()).unwrap_or_default(),
            purpose: received.purpose.as_ref().map(ToString::to_string).unwrap_or_default(),
            disclosures: Vec::new(),
            above_ceiling: paths(admitted.above_ceiling),
            not_provided: None,
            receipt: None,
        };
        Self { message, deadline: outcome.at + HAND_OVER }
    }

    /// Until when it may be handed to the transport.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The message, to be handed to the transport now.
    ///
    /// # Errors
    /// If its time is over: then it is dropped (P05).
    pub fn into_message(self, now: Instant) -> Result<proto::RequestWorkCapacityResponse, Refusal> {
        if now > self.deadline {
            return Err(RefusalCode::AnswerDropped.into());
        }
        Ok(self.message)
    }
}
