//! That a fault says nothing of what it was found in (P08): every word of it is one that some other input brings about.
//! The words are learned from inputs that are wrong in a few fixed ways, none of which has a text of its own to tell.

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::Value;

use super::seeds;
use crate::{
    consent::{
        Form, Grant,
        draft::{DraftFault, FormDraft},
    },
    domain::{Refusal, purpose::NEVER_SERVED},
    exchange::Received,
    identity::GatewayKind,
    proto::RequestWorkCapacityRequest,
};

static WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(learn);

/// # Panics
/// If the refusal has a word that is not in one of the fixed texts.
pub(super) fn assert_silent(refusal: &Refusal) {
    assert!(known(&texts(refusal)), "a refusal says something of its own");
}

/// # Panics
/// If the fault has a word that is not in one of the fixed texts.
pub(super) fn assert_silent_draft(fault: &DraftFault) {
    assert!(known(&draft_texts(fault)), "a fault says something of its own");
}

fn known(texts: &[String]) -> bool {
    texts.iter().flat_map(|text| words(text)).all(|word| WORDS.contains(&word))
}

/// The words of a text. An index is no word; any other number is.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.split([' ', '.']) {
        words.push(match word.split_once('[') {
            Some((name, index)) if index.len() <= 6 && index.trim_end_matches(']').parse::<u16>().is_ok() => {
                name.to_owned()
            }
            _ => word.to_owned(),
        });
    }
    words
}

fn texts(refusal: &Refusal) -> Vec<String> {
    let violations = refusal.violations.iter();
    violations.flat_map(|violation| [violation.field.clone(), violation.description.clone()]).collect()
}

fn draft_texts(fault: &DraftFault) -> Vec<String> {
    match fault {
        DraftFault::Field { field, what } => vec![field.clone(), what.clone()],
        // Line and column are numbers of the place by their type.
        DraftFault::Syntax { .. } | DraftFault::Unsignable => Vec::new(),
    }
}

/// Texts that are wrong somewhere, most of them everywhere.
const WRONG: [&str; 14] = [
    "",
    "*",
    "x",
    "icd",
    "today+x",
    "2026-13-45",
    "000000000",
    "999990018",
    "123456782",
    "99999xxxx",
    "xxxxxxxxxxxxxxxxxxxx",
    "99999999999999999999",
    "00000099000003002001",
    "$$$$$$$$$$$$$$$$$$$$",
];

fn learn() -> BTreeSet<String> {
    let mut told = Vec::new();
    for message in requests() {
        told.extend(refused(Received::read(&message, GatewayKind::Test).question()));
    }
    for spoilt in spoilt(&seeds::form_record()) {
        told.extend(refused(Form::parse(spoilt.as_bytes())));
    }
    for spoilt in spoilt(&seeds::grant()) {
        told.extend(refused(Grant::parse(spoilt.as_bytes(), "grants[0]")));
    }
    told.extend(refused(Form::parse(b"{ }")));
    told.extend(refused(Form::parse(b"{")));
    for spoilt in spoilt(&seeds::draft()) {
        let Ok(draft) = FormDraft::parse(&spoilt) else { continue };
        let signed = super::form::KEY.as_ref().map(|key| draft.sign("fuzz", key, super::form::TODAY));
        told.extend(signed.and_then(Result::err).map(|fault| draft_texts(&fault)).unwrap_or_default());
    }
    told.iter().flat_map(|text| words(text)).collect()
}

fn refused<T>(result: Result<T, Refusal>) -> Vec<String> {
    result.err().map(|refusal| texts(&refusal)).unwrap_or_default()
}

fn requests() -> Vec<RequestWorkCapacityRequest> {
    let with = |text: &str| RequestWorkCapacityRequest {
        request_id: text.to_owned(),
        bsn: text.to_owned(),
        purpose: text.to_owned(),
        role: text.to_owned(),
        user_id: text.to_owned(),
        case_id: text.to_owned(),
        fields: Some(prost_types::FieldMask { paths: vec![text.to_owned()] }),
        ..RequestWorkCapacityRequest::default()
    };
    let mut requests: Vec<_> = WRONG.into_iter().chain(NEVER_SERVED.into_iter().take(1)).map(with).collect();
    requests.push(RequestWorkCapacityRequest::default());
    requests
}

/// The document with each of its parts left out, made something else, or joined by something unknown, in canonical JSON.
fn spoilt(document: &Value) -> Vec<String> {
    let mut wrong: Vec<Value> =
        WRONG.into_iter().chain(NEVER_SERVED.into_iter().take(1)).map(Value::from).collect();
    wrong.extend([Value::Null, 0.into(), false.into(), serde_json::json!([]), serde_json::json!({ "x": 1 })]);
    wrong.extend([serde_json::json!(["*"]), serde_json::json!(["x"]), serde_json::json!(["WT-02", "WT-01"])]);
    let mut documents = Vec::new();
    for place in places(document, String::new()) {
        for value in &wrong {
            let mut spoilt = document.clone();
            let Some(part) = spoilt.pointer_mut(&place) else { continue };
            match (part.as_object_mut(), value.is_null()) {
                (Some(object), true) => drop(object.insert("x".to_owned(), 1.into())),
                _ => *part = value.clone(),
            }
            documents.extend(serde_json_canonicalizer::to_string(&spoilt));
        }
    }
    documents
}

/// JSON pointers to a value and to everything in it.
fn places(value: &Value, at: String) -> Vec<String> {
    let inside: Vec<String> = match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| places(value, format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(i, value)| places(value, format!("{at}/{i}"))).collect()
        }
        _ => Vec::new(),
    };
    [vec![at], inside].concat()
}
