//! Logs in which nothing is wrong, and the one that all broken ones come from.

use serde_json::json;
use sluis::{
    audit::{
        export::SealedPart,
        leaf::{Kind, commit_answer},
        receipt::answer_bytes,
    },
    proto,
};

use super::{
    case::{Case, What},
    log::{Fault, Log, base64, drawn, drawn_uuid},
};

/// Salt of the commitment to [`answer`].
pub fn answer_salt() -> [u8; 32] {
    drawn("salt of the answer", 0)
}

/// An answer with so many disclosures, which say nothing.
pub fn answer(disclosures: usize) -> Vec<u8> {
    answer_bytes(&proto::RequestWorkCapacityResponse {
        request_id: drawn_uuid("request", 0),
        purpose: "REINTEGRATION".to_owned(),
        disclosures: vec![proto::Disclosure::default(); disclosures],
        ..Default::default()
    })
}

/// The log that all broken ones come from: eight entries. 2 and 3 are a request that was granted, 4 and 6 one that was
/// not, with the withdrawal between them that made it so.
pub fn log(name: &'static str) -> Result<Log, Fault> {
    let mut log = Log::new(name)?;
    let asked = json!({ "fields": ["WT-01"], "purpose": "REINTEGRATION" });
    log.add(Kind::Genesis, 0, json!({ "policies": "none, this is a test" }))?;
    log.add(Kind::Consent, 1, json!({ "by": "test", "event": "recorded" }))?;
    log.add(Kind::Request, 2, asked.clone())?;
    let answer = base64(&commit_answer(&answer_salt(), &answer(1)));
    let detail = json!({ "sources": [{ "reason": "none" }] });
    log.add_with_detail(Kind::Outcome, 2, json!({ "answer": answer, "effect": "permit" }), Some(detail))?;
    log.add(Kind::Request, 3, asked)?;
    log.add(Kind::Consent, 4, json!({ "by": "test", "event": "withdrawn" }))?;
    log.add(Kind::Outcome, 3, json!({ "effect": "deny" }))?;
    log.add(Kind::Access, 5, json!({ "by": "test", "did": "exported" }))?;
    Ok(log)
}

/// The log after a client was erased: entry 1 has lost its sealed part, and entry 8 says so.
pub fn erased(pair: u64) -> Result<Log, Fault> {
    let mut log = log("erased")?;
    let pairs = [log.pair(pair)?.to_string()];
    log.add(Kind::Erasure, 6, json!({ "pairs": pairs }))?;
    log.change(1, |record| record.sealed = Some(SealedPart::Erased))?;
    Ok(log)
}

/// The log after terms were over: every entry of these kinds is emptied, and entry 8 says so.
pub fn expired(before: &str) -> Result<Log, Fault> {
    let mut log = log("expired")?;
    let by_kind = json!({ "access": before, "consent": before, "outcome": before, "request": before });
    log.add(Kind::Erasure, 6, json!({ "before": by_kind, "event": "retention" }))?;
    for index in 1..8 {
        log.change(index, |record| {
            (record.facts, record.detail, record.sealed) = (None, None, Some(SealedPart::Expired));
        })?;
    }
    Ok(log)
}

/// The time of an entry of such a log, as its leaf has it.
pub fn time_of(log: &Log, index: u64) -> Result<String, Fault> {
    Ok(sluis::audit::leaf::Leaf::parse(&log.record(index)?.leaf)?.time.to_string())
}

/// The cases.
pub fn cases() -> Result<Vec<Case>, Fault> {
    let (whole, mut left_out, erased) = (log("whole")?, log("left out")?, erased(1)?);
    for index in [2, 3, 5] {
        left_out.change(index, |record| (record.facts, record.detail) = (None, None))?;
    }
    let mut open = log("open")?;
    open.add(Kind::Request, 6, json!({ "fields": ["WT-01"], "purpose": "REINTEGRATION" }))?;
    Ok(vec![
        Case::new(
            "whole",
            "Nothing is wrong, and it begins with the log of the earlier checkpoint.",
            What::Export(whole.export(true)?),
        )
        .since(whole.signed(5)?),
        Case::new(
            "whole-left-out",
            "The facts of entries 2, 3 and 5 are left out, and all sealed parts.",
            What::Export(left_out.export(false)?),
        ),
        Case::new(
            "whole-erased",
            "The sealed part of entry 1 was erased, and entry 8 names it.",
            What::Export(erased.export(true)?),
        ),
        Case::new(
            "whole-expired",
            "The terms of entries 1 to 7 are over, and entry 8 says so.",
            What::Export(expired(&time_of(&expired("")?, 8)?)?.export(true)?),
        ),
        Case::new("open-request", "The last request has no outcome yet.", What::Export(open.export(true)?))
            .finds(3, &[(Some(8), "request_without_outcome")]),
    ])
}
