//! Logs that are signed and whole, and tell something that cannot be.

use serde_json::json;
use sluis::audit::{export::SealedPart, leaf::Kind};

use super::{
    case::{Case, What},
    log::{Fault, Log},
    whole,
};

/// A case of a log that went on from the whole one, or was made otherwise.
fn told(
    name: &'static str,
    says: &'static str,
    tell: impl FnOnce(&mut Log) -> Result<(), Fault>,
) -> Result<Case, Fault> {
    let mut log = whole::log(name)?;
    tell(&mut log)?;
    Ok(Case::new(name, says, What::Export(log.export(true)?)))
}

fn nothing() -> serde_json::Value {
    json!({})
}

/// The cases.
pub fn cases() -> Result<Vec<Case>, Fault> {
    Ok([leaves()?, story()?, erasures()?].into_iter().flatten().collect())
}

/// Single entries.
fn leaves() -> Result<Vec<Case>, Fault> {
    Ok(vec![
        told("leaf-not-canonical", "Entry 5 has a space more than a leaf has.", |log| {
            log.retell(5, ",\"v\":1", ", \"v\":1")
        })?
        .finds(4, &[(Some(5), "leaf_malformed")]),
        told("leaf-of-version-two", "Entry 5 is a leaf of version 2.", |log| {
            log.retell(5, "\"v\":1", "\"v\":2")
        })?
        .finds(4, &[(Some(5), "leaf_malformed")]),
        told("kind-unknown", "Entry 5 is of a kind that nobody knows.", |log| {
            log.retell(5, "\"consent\"", "\"novelty\"")
        })?
        .finds(5, &[(Some(5), "kind_unknown")]),
        told("facts-not-canonical", "The facts of entry 5 are committed to with a space in them.", |log| {
            log.reword(5, "{\"by\": \"test\"}")
        })?
        .finds(4, &[(Some(5), "facts_malformed")]),
        told("facts-with-a-name-twice", "The facts of entry 5 name one thing twice.", |log| {
            log.reword(5, "{\"by\":\"test\",\"by\":\"test\"}")
        })?
        .finds(4, &[(Some(5), "facts_malformed")]),
    ])
}

/// What entries say together.
fn story() -> Result<Vec<Case>, Fault> {
    Ok(vec![
        told("time-goes-back", "Entry 8 is earlier than entry 7.", |log| {
            log.time -= 138;
            log.add(Kind::Policy, 6, nothing())
        })?
        .finds(4, &[(Some(8), "time_went_back")]),
        told("entry-repeated", "Entry 8 has the pair and kind of entry 1.", |log| {
            log.add(Kind::Consent, 1, nothing())
        })?
        .finds(4, &[(Some(8), "entry_repeated")]),
        told("outcome-before-request", "Entry 8 is the outcome of entry 9.", |log| {
            log.add(Kind::Outcome, 6, nothing())?;
            log.add(Kind::Request, 6, nothing())
        })?
        .finds(4, &[(Some(9), "outcome_before_request")]),
        told("outcome-without-request", "Entry 8 is the outcome of no request.", |log| {
            log.add(Kind::Outcome, 6, nothing())
        })?
        .finds(4, &[(Some(8), "outcome_without_request")]),
        told("outcome-twice", "Entry 8 is a second outcome of the request at 2.", |log| {
            log.add(Kind::Outcome, 2, nothing())
        })?
        .finds(4, &[(Some(8), "entry_repeated"), (Some(8), "outcome_without_request")]),
    ])
}

/// What was erased.
fn erasures() -> Result<Vec<Case>, Fault> {
    let mut not_opened = whole::erased(1)?;
    not_opened.change(8, |record| record.facts = None)?;
    let mut earlier = whole::log("erasure earlier")?;
    earlier.reword(5, &json!({ "pairs": [earlier.pair(5)?.to_string()] }).to_string())?;
    earlier.retell(5, "\"consent\"", "\"erasure\"")?;
    for index in [5, 7] {
        earlier.change(index, |record| record.sealed = (index == 7).then_some(SealedPart::Erased))?;
    }
    let seventh = whole::time_of(&whole::expired("")?, 7)?;
    let mut sealed_open = whole::log("sealed open")?;
    sealed_open.add(Kind::Request, 6, json!({ "fields": ["WT-01"], "purpose": "REINTEGRATION" }))?;
    sealed_open.add(Kind::Seal, 7, json!({}))?;
    let mut after_seal = whole::log("after the seal")?;
    after_seal.add(Kind::Seal, 6, json!({}))?;
    after_seal.add(Kind::Access, 7, json!({ "by": "test", "did": "exported" }))?;
    Ok(vec![
        Case::new("entry-after-seal", "Entry 9 follows the seal at 8.", What::Export(after_seal.export(true)?))
            .finds(4, &[(Some(9), "entry_after_seal")]),
        Case::new(
            "sealed-open",
            "The shard is sealed at 9 while the request at 8 has no outcome.",
            What::Export(sealed_open.export(true)?),
        )
        .finds(4, &[(Some(9), "sealed_open"), (Some(8), "request_without_outcome")]),
        told("genesis-twice", "Entry 7 is a genesis too.", |log| log.retell(7, "\"access\"", "\"genesis\""))?
            .finds(4, &[(Some(7), "genesis_misplaced"), (Some(7), "sealed_mismatch")]),
        told("genesis-missing", "Entry 0 is no genesis.", |log| log.retell(0, "\"genesis\"", "\"policy\""))?
            .finds(4, &[(Some(0), "genesis_misplaced"), (Some(0), "sealed_mismatch")]),
        told(
            "expired-and-not-said",
            "Entry 1 is said to be over its term; no entry says that the term of its kind is over.",
            |log| {
                log.change(1, |record| {
                    (record.facts, record.detail, record.sealed) = (None, None, Some(SealedPart::Expired));
                })
            },
        )?
        .finds(4, &[(Some(1), "retention_unnamed")]),
        Case::new(
            "expired-too-soon",
            "Entries 1 to 7 are said to be over their terms; entry 8 says so of everything before the time of entry 7.",
            What::Export(whole::expired(&seventh)?.export(true)?),
        )
        .finds(4, &[(Some(7), "retention_unnamed")]),
        told(
            "erased-and-not-named",
            "The sealed part of entry 1 is said to be erased; no entry names it.",
            |log| log.change(1, |record| record.sealed = Some(SealedPart::Erased)),
        )?
        .finds(4, &[(Some(1), "erasure_unnamed")]),
        Case::new(
            "erasure-of-another",
            "The sealed part of entry 1 is said to be erased; entry 8 names another.",
            What::Export(whole::erased(4)?.export(true)?),
        )
        .finds(4, &[(Some(1), "erasure_unnamed")]),
        Case::new(
            "erasure-ahead",
            "The sealed part of entry 7 is said to be erased; an erasure ahead of it names it.",
            What::Export(earlier.export(true)?),
        )
        .finds(4, &[(Some(7), "erasure_unnamed")]),
        Case::new(
            "erasure-not-opened",
            "The sealed part of entry 1 is said to be erased; the facts of the erasure at 8 are left out.",
            What::Export(not_opened.export(true)?),
        )
        .finds(3, &[(Some(1), "erasure_not_opened")]),
    ])
}
