//! Everything in `tests/broken-logs` that is generated. A further case is one more item in one of the lists: in
//! `whole` if nothing is wrong with it, in `after` if whole files were changed, in `told` if the log itself signed what
//! cannot be, in `receipts` if it is a receipt, in `shards` if it is several of a log, in `trusting` if it is about the keys it is
//! verified with.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluis::audit::trust::to_policy;

mod after;
pub mod case;
pub mod files;
pub mod log;
mod receipts;
mod shards;
mod told;
mod trusting;
mod whole;

use case::{Case, Trust, What};
use log::{Fault, ORIGIN, test_key};

/// Folders that hold nothing else.
pub const FOLDERS: [&str; 5] = ["earlier", "exports", "receipts", "shards", "trust"];
/// The next shard of the log, whose key is trusted too.
pub const NEXT_YEAR: &str = "test-key.sluis.example/2027";

/// Every case.
pub fn cases() -> Result<Vec<Case>, Fault> {
    let lists = [
        whole::cases()?,
        after::cases()?,
        told::cases()?,
        receipts::cases()?,
        shards::cases()?,
        trusting::cases()?,
    ];
    Ok(lists.into_iter().flatten().collect())
}

/// Path below `tests/broken-logs`, and content.
pub fn files() -> Result<BTreeMap<String, Vec<u8>>, Fault> {
    let mut files = BTreeMap::new();
    let keys = [ORIGIN, NEXT_YEAR].map(|name| test_key(name).map(|signer| signer.verifier().clone()));
    let keys = keys.into_iter().collect::<Result<Vec<_>, _>>()?;
    files.insert("trust.txt".to_owned(), to_policy(&keys).into_bytes());
    let mut expected = Vec::new();
    for case in cases()? {
        expected.push(listed(&case));
        let (paths, trust) = (case.paths(), case.trust_file());
        let exports = match case.what {
            What::Export(export) => vec![export],
            What::Shards(shards) => shards,
            What::Receipt(text) => {
                files.extend(paths.iter().map(|path| (path.clone(), text.clone().into_bytes())));
                Vec::new()
            }
        };
        for (path, export) in paths.iter().zip(exports) {
            let export = export.into_inner().into_iter();
            files.extend(export.map(|(name, bytes)| (format!("{path}/{name}"), bytes)));
        }
        if let (Some(path), Trust::Own(policy)) = (trust, case.trust) {
            files.insert(path, policy.into_bytes());
        }
        if let Some(note) = case.since {
            files.insert(format!("earlier/{}", case.name), note.into_bytes());
        }
    }
    let expected = serde_json::to_string_pretty(&json!({ "cases": expected }))? + "\n";
    files.insert("expected.json".to_owned(), expected.into_bytes());
    Ok(files)
}

/// What `expected.json` says of a case.
fn listed(case: &Case) -> Value {
    let findings: Vec<Value> =
        case.findings.iter().map(|(position, code)| json!({ "code": code, "position": position })).collect();
    let earlier = case.since.as_ref().map(|_| format!("earlier/{}", case.name));
    let paths = case.paths();
    let (path, shards) = match paths.as_slice() {
        [path] => (Some(path), None),
        _ => (None, Some(&paths)),
    };
    json!({
        "path": path,
        "shards": shards,
        "trust": case.trust_file(),
        "earlier": earlier,
        "says": case.says,
        "exit": case.exit,
        "findings": findings,
    })
}
