//! The demo's files, as text by path. Nobody in them exists: the BSNs are from the test range, the organisations are
//! made up, and what the sources state is drawn by chance.

use std::{collections::BTreeMap, error::Error};

mod clients;
mod forms;
mod parties;
mod random;
mod statements;

/// Everything is drawn from this one number.
pub const SEED: u64 = 0x5157_5153_2026_1123;

/// Path below `demo/`, and content.
pub fn files() -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let clients = clients::draw();
    let held = statements::draw(&clients)?;
    let mut files = BTreeMap::new();
    files.insert("participants.toml".to_owned(), parties::participants()?);
    files.insert("agreements.toml".to_owned(), parties::agreements()?);
    files.insert("clients.json".to_owned(), clients::listing(&clients)?);
    for (oin, statements) in statements::listings(&clients, &held)? {
        files.insert(format!("statements/{oin}.json"), statements);
    }
    for (name, form) in forms::draw(&clients, &held)? {
        files.insert(format!("forms/{name}.json"), form);
    }
    Ok(files)
}

/// JSON as people read it, with an end of line.
fn pretty<T: serde::Serialize>(value: &T) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
