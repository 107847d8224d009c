//! What the log says of acts on consents. Ids of grants and forms lead to a person, so they stand in the sealed part.

use serde_json::{Value, json};

use crate::{
    audit::{
        entry::{NewEntry, SubjectLink},
        leaf::Kind,
        writer::Change,
    },
    consent::Recording,
    domain::{GrantId, Oin, PairId, RefusalCode, SubjectId},
    storage::Selection,
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

/// That a change was made. The grants that it changed are added by the writer, which alone knows them.
pub(super) fn changed(
    by: Oin,
    change: &Change,
    on: &Selection,
    subject: Option<SubjectId>,
    more: &[(&str, &str)],
) -> NewEntry {
    let link = match (on, subject) {
        (Selection::Client(tag), _) => SubjectLink::Tag { tag: *tag, keep: false },
        (_, Some(subject)) => SubjectLink::Subject(subject),
        (_, None) => SubjectLink::Nobody,
    };
    let selected_by = match on {
        Selection::Grant(_) => "grant",
        Selection::Form(_) => "form",
        Selection::Client(_) => "client",
    };
    let (event, everything) = match change {
        Change::Confirm { .. } => ("confirmed", false),
        Change::Reconfirm { .. } => ("reconfirmed", false),
        Change::Pause => ("paused", false),
        Change::Resume => ("resumed", false),
        Change::Withdraw { everything } => ("withdrawn", *everything),
        Change::Invalidate => ("invalidated", false),
    };
    let mut facts = vec![("selected_by", json!(selected_by))];
    if everything {
        facts.push(("on_behalf_of_client", json!(true)));
    }
    if *change == Change::Invalidate {
        // For the gateway's officer: what was released under it is to be looked at (AVG 33).
        facts.push(("possible_breach", json!(true)));
    }
    facts.extend(more.iter().map(|(name, value)| (*name, json!(value))));
    entry(event, by, &facts, json!({}), link)
}

/// That a source paused everything of its own, or went on.
pub(super) fn of_source(by: Oin, event: &str) -> NewEntry {
    entry(event, by, &[], json!({}), SubjectLink::Nobody)
}

/// That a form was checked, and not recorded.
pub(super) fn validated(by: Oin) -> NewEntry {
    entry("validated", by, &[], json!({}), SubjectLink::Nobody)
}

/// That an organisation took note of what it was told.
pub(super) fn acknowledged(by: Oin, cursor: &str) -> NewEntry {
    entry("acknowledged", by, &[("cursor", json!(cursor))], json!({}), SubjectLink::Nobody)
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
