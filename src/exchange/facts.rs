//! What the two entries of a request say: facts that the requester may see, detail for the gateway's own officer, and
//! the sealed part that leads to a person.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Passage, admission::Admitted, answer::Draft};
use crate::{
    audit::{
        entry::{NewEntry, SubjectLink},
        leaf::Kind,
    },
    catalogue::{self, Mask},
    domain::{Reason, RefusalCode},
    subject::KeyRing,
};

fn entry(passage: &Passage, keys: &KeyRing, kind: Kind, facts: Value) -> NewEntry {
    let received = &passage.received;
    // `validate_only` touches nothing about a client, not even his key.
    let subject = match received.bsn() {
        Some(bsn) if !received.validate_only => SubjectLink::Tag { tag: keys.index.tag(bsn), keep: false },
        _ => SubjectLink::Nobody,
    };
    NewEntry {
        kind,
        pair: passage.pair,
        facts,
        detail: None,
        client: json!({}),
        subject,
        requester: Some(passage.caller),
        purpose: received.purpose.clone(),
    }
}

/// Who asked what; the head of the facts of both entries.
fn asked(passage: &Passage) -> Value {
    let received = &passage.received;
    json!({
        "requester": passage.caller,
        "role": received.role,
        "purpose": received.purpose.as_ref().map(ToString::to_string).or(received.never_served.map(ToOwned::to_owned)),
        "fields": received.fields.map(catalogue::codes),
    })
}

pub(super) fn request(passage: &Passage, keys: &KeyRing) -> NewEntry {
    let received = &passage.received;
    let mut facts = asked(passage);
    set(&mut facts, "necessity", json!(received.necessity.map(|necessity| necessity.as_str_name())));
    set(&mut facts, "validate_only", json!(received.validate_only));
    NewEntry {
        client: json!({
            "request_id": received.request_id,
            "user": received.user,
            "case": received.case,
        }),
        ..entry(passage, keys, Kind::Request, facts)
    }
}

fn set(facts: &mut Value, name: &str, value: Value) {
    if let Value::Object(facts) = facts {
        facts.insert(name.to_owned(), value);
    }
}

/// Every outcome has the same facts, so that their shape tells nothing.
struct Told<'a> {
    effect: &'a str,
    refusal: Option<RefusalCode>,
    above_ceiling: Mask,
    not_provided: Mask,
    released: Vec<Value>,
    answer: Option<[u8; 32]>,
}

fn outcome(passage: &Passage, keys: &KeyRing, told: Told<'_>, draft: Option<&Draft>) -> NewEntry {
    let mut facts = asked(passage);
    set(&mut facts, "effect", json!(told.effect));
    set(&mut facts, "refusal", json!(told.refusal.map(RefusalCode::as_str)));
    set(&mut facts, "above_ceiling", json!(catalogue::codes(told.above_ceiling)));
    set(&mut facts, "not_provided", json!(catalogue::codes(told.not_provided)));
    set(&mut facts, "released", Value::Array(told.released));
    set(&mut facts, "policy", json!(passage.rules.policies.hash()));
    set(&mut facts, "catalogue", json!(catalogue::VERSION));
    set(&mut facts, "participants", json!(passage.rules.register.hash()));
    set(&mut facts, "answer", json!(told.answer.map(|answer| STANDARD.encode(answer))));
    let outcomes = draft.map_or(&[][..], |draft| draft.outcomes.as_slice());
    let sources: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "source": outcome.source,
                "source_kind": outcome.step.source_kind,
                "agreed": catalogue::codes(outcome.step.agreed),
                "granted": catalogue::codes(outcome.step.granted),
                "facts": outcome.step.facts.named().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
                "agreements": outcome.agreements,
                "asked": catalogue::codes(outcome.asked),
                "released": catalogue::codes(outcome.released),
                "reason": outcome.reason.as_str(),
                "rules": outcome.step.rules,
                "surplus_fields": catalogue::codes(outcome.surplus.fields),
                "surplus_unknown": outcome.surplus.unknown_fields,
            })
        })
        .collect();
    let grants: Vec<_> = outcomes.iter().flat_map(|outcome| &outcome.grants).map(|need| need.grant).collect();
    let queries: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.query).collect();
    NewEntry {
        detail: Some(json!({ "sources": sources })),
        client: json!({ "grants": grants, "queries": queries }),
        ..entry(passage, keys, Kind::Outcome, facts)
    }
}

pub(super) fn refused(passage: &Passage, keys: &KeyRing, code: RefusalCode) -> NewEntry {
    let told = Told {
        effect: "refused",
        refusal: Some(code),
        above_ceiling: Mask::EMPTY,
        not_provided: Mask::EMPTY,
        released: Vec::new(),
        answer: None,
    };
    outcome(passage, keys, told, None)
}

pub(super) fn validated(passage: &Passage, keys: &KeyRing, admitted: &Admitted) -> NewEntry {
    let told = Told {
        effect: "validated",
        refusal: None,
        above_ceiling: admitted.above_ceiling,
        not_provided: Mask::EMPTY,
        released: Vec::new(),
        answer: None,
    };
    outcome(passage, keys, told, None)
}

pub(super) fn released(passage: &Passage, keys: &KeyRing, draft: &Draft) -> NewEntry {
    let released = draft.outcomes.iter().filter(|outcome| outcome.reason == Reason::Released);
    let told = Told {
        effect: "released",
        refusal: None,
        above_ceiling: draft.above_ceiling,
        not_provided: draft.not_provided,
        released: released
            .map(|outcome| json!({ "source": outcome.source, "fields": catalogue::codes(outcome.released) }))
            .collect(),
        answer: Some(draft.commitment()),
    };
    outcome(passage, keys, told, Some(draft))
}

pub(super) fn not_provided(passage: &Passage, keys: &KeyRing, draft: &Draft) -> NewEntry {
    let told = Told {
        effect: "not_provided",
        refusal: None,
        above_ceiling: draft.above_ceiling,
        not_provided: draft.not_provided,
        released: Vec::new(),
        answer: None,
    };
    outcome(passage, keys, told, Some(draft))
}
