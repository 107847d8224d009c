//! What the log says of acts on consents. Ids of grants and forms lead to a person, so they stand in the sealed part.

use serde_json::{Value, json};

use crate::{
    audit::{
        entry::{NewEntry, SubjectLink},
        leaf::Kind,
    },
    consent::Recording,
    domain::{GrantId, Oin, PairId, RefusalCode, SubjectId},
    storage::{StoredGrant, Withdrawal},
    subject::Tag,
};

fn entry(event: &str, by: Oin, more: &[(&str, Value)], client: Value, subject: SubjectLink) -> NewEntry {
    let mut facts = serde_json::Map::new();
    facts.insert("event".to_owned(), json!(event));
    facts.insert("by".to_owned(), json!(by));
    for (name, value) in more {
        facts.insert((*name).to_owned(), value.clone());
    }
    NewEntry {
        kind: Kind::Consent,
        pair: PairId::random(),
        facts: Value::Object(facts),
        detail: None,
        client,
        subject,
        requester: None,
        purpose: None,
    }
}

pub(super) fn recorded(recording: &Recording, confirmed: &[GrantId], tag: Tag) -> NewEntry {
    let grants: Vec<_> = recording.grants().iter().map(|recorded| recorded.grant.id).collect();
    let client = json!({ "form": recording.form().id, "grants": grants, "confirmed": confirmed });
    entry("recorded", recording.form().recorder, &[], client, SubjectLink::Tag { tag, keep: true })
}

pub(super) fn confirmed(by: Oin, grant: &StoredGrant) -> NewEntry {
    let client = json!({ "form": grant.form, "grants": [grant.id] });
    entry("confirmed", by, &[], client, SubjectLink::Subject(grant.subject))
}

/// The grants withdrawn are added by the writer, which alone knows them.
pub(super) fn withdrawn(by: Oin, selection: &Withdrawal, subject: Option<SubjectId>) -> NewEntry {
    let link = match (selection, subject) {
        (Withdrawal::Client(tag), _) => SubjectLink::Tag { tag: *tag, keep: false },
        (_, Some(subject)) => SubjectLink::Subject(subject),
        (_, None) => SubjectLink::Nobody,
    };
    let what = match selection {
        Withdrawal::Grant(_) => "grant",
        Withdrawal::Form(_) => "form",
        Withdrawal::Client(_) => "client",
    };
    entry("withdrawn", by, &[("selected_by", json!(what))], json!({}), link)
}

/// A look at recorded consents: an entry of its own kind, with the same content whether or not anything is found.
pub(super) fn looked(by: Oin, what: &str, client: Value, subject: SubjectLink) -> NewEntry {
    NewEntry {
        kind: Kind::Access,
        facts: json!({ "by": by, "looked_at": { "consents_by": what } }),
        ..entry("looked", by, &[], client, subject)
    }
}

pub(super) fn refused(by: Oin, act: &str, code: RefusalCode) -> NewEntry {
    let more = [("act", json!(act)), ("refusal", json!(code.as_str()))];
    entry("refused", by, &more, json!({}), SubjectLink::Nobody)
}
