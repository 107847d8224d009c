//! Everything in `tests/broken-logs` that is generated. A further case is one more item in one of the lists: in
//! `whole` if nothing is wrong with it, in `after` if whole files were changed, in `told` if the log itself signed what
//! cannot be, in `receipts` if it is a receipt.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluis::audit::trust::to_policy;

mod after;
pub mod case;
pub mod files;
pub mod log;
mod receipts;
mod told;
mod whole;

use case::{Case, What};
use log::{Fault, ORIGIN, test_key};

/// Folders that hold nothing else.
pub const FOLDERS: [&str; 3] = ["earlier", "exports", "receipts"];
/// A further log whose key is trusted.
const NEXT_YEAR: &str = "test-key.sluis.example/2027";

/// Every case.
pub fn cases() -> Result<Vec<Case>, Fault> {
    Ok([whole::cases()?, after::cases()?, told::cases()?, receipts::cases()?].into_iter().flatten().collect())
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
        let path = case.path();
        match case.what {
            What::Export(export) => {
                files.extend(
                    export.into_inner().into_iter().map(|(name, bytes)| (format!("{path}/{name}"), bytes)),
                );
            }
            What::Receipt(text) => _ = files.insert(path, text.into_bytes()),
        }
        if let Some(note) = case.since {
            files.insert(format!("earlier/{}", case.name), note.into_bytes());
        }
    }
    let expected = serde_json::to_string_pretty(&json!({ "trust": "trust.txt", "cases": expected }))? + "\n";
    files.insert("expected.json".to_owned(), expected.into_bytes());
    Ok(files)
}

/// What `expected.json` says of a case.
fn listed(case: &Case) -> Value {
    let findings: Vec<Value> =
        case.findings.iter().map(|(position, code)| json!({ "code": code, "position": position })).collect();
    let earlier = case.since.as_ref().map(|_| format!("earlier/{}", case.name));
    json!({
        "path": case.path(),
        "earlier": earlier,
        "says": case.says,
        "exit": case.exit,
        "findings": findings,
    })
}
