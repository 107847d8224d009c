//! Reading a policy directory: every file once, so that what is hashed is what is loaded.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use ring::digest::{SHA256, digest};

use super::fault::{PolicyFault, Problem};

pub(super) const SCHEMA: &str = "schema.cedarschema";
pub(super) const GUARDRAILS: &str = "guardrails.cedar";
pub(super) const CATALOGUE: &str = "purposes.toml";
const PURPOSES: &str = "purposes";
/// Cases are read by [`super::cases`] only: they check decisions and make none.
pub(super) const CASES: &str = "tests";

/// The files that decide, by their path inside the directory, sorted.
#[derive(Debug)]
pub(super) struct Files(BTreeMap<String, String>);

impl Files {
    /// Reads the directory. The faults name files that are missing, unreadable or unknown.
    pub(super) fn read(dir: &Path) -> (Self, Vec<PolicyFault>) {
        let mut texts = BTreeMap::new();
        let mut faults = Vec::new();
        let mut read = |name: String, path: &Path| match fs::read_to_string(path) {
            Ok(text) => {
                texts.insert(name, text);
            }
            Err(error) => faults.push(PolicyFault::new(&name, Problem::Unreadable(error.to_string()))),
        };
        for name in [SCHEMA, GUARDRAILS, CATALOGUE] {
            read(name.to_owned(), &dir.join(name));
        }
        let mut unexpected = Vec::new();
        for (name, path) in entries(&dir.join(PURPOSES)) {
            let name = format!("{PURPOSES}/{name}");
            if name.ends_with(".cedar") { read(name, &path) } else { unexpected.push(name) }
        }
        for (name, _) in entries(dir) {
            if ![SCHEMA, GUARDRAILS, CATALOGUE, PURPOSES, CASES].contains(&name.as_str())
                && !name.ends_with(".md")
            {
                unexpected.push(name);
            }
        }
        faults.extend(unexpected.iter().map(|name| PolicyFault::new(name, Problem::UnexpectedFile)));
        (Self(texts), faults)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The files of purposes: path, name of the purpose, text.
    pub(super) fn purposes(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().filter_map(|(path, text)| {
            let name = path.strip_prefix(PURPOSES)?.strip_prefix('/')?.strip_suffix(".cedar")?;
            Some((path.as_str(), name, text.as_str()))
        })
    }

    /// The SHA-256 of what `sha256sum` prints for these files in the order of their names, so that anybody can repeat
    /// it with two common tools.
    pub(super) fn hash(&self) -> String {
        let mut sums = String::new();
        for (path, text) in &self.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(sums, "{}  {path}", sha256(text.as_bytes()));
        }
        format!("sha256:{}", sha256(sums.as_bytes()))
    }
}

/// The line of a place in a text, counted from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// Names and paths in a directory, sorted; none if it cannot be read. What must be there is asked for by name.
fn entries(dir: &Path) -> Vec<(String, PathBuf)> {
    let mut entries: Vec<_> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected value is what `sha256sum ... | sha256sum` prints for the same files.
    #[test]
    fn r18_the_hash_can_be_repeated_with_common_tools() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(PURPOSES)).unwrap();
        for name in [SCHEMA, GUARDRAILS, CATALOGUE, "purposes/B.cedar", "purposes/A.cedar"] {
            fs::write(dir.path().join(name), format!("{name}\n")).unwrap();
        }
        let (files, faults) = Files::read(dir.path());
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(files.hash(), "sha256:155e8d5da510fbe670d2abb1b6b52d8619bf0d5b2049e5834ca40fcd06a2af8e");
    }
}
