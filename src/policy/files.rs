//! Reading a policy directory: every file once, so that what is hashed is what is loaded.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use super::{
    fault::{PolicyFault, Problem},
    manifest::sha256,
};

pub(super) const SCHEMA: &str = "schema.cedarschema";
pub(super) const GUARDRAILS: &str = "guardrails.cedar";
pub(super) const CATALOGUE: &str = "purposes.toml";
pub(super) const ROLES: &str = "roles.toml";
pub(super) const INVARIANTS: &str = "invariants.cedar";
/// The signed list of all other files.
pub(super) const MANIFEST: &str = "manifest.note";
/// That the rules keep to the invariants, shown by a solver.
pub(super) const PROOF: &str = "proof.toml";
const PURPOSES: &str = "purposes";
/// The files that every set has.
const ALWAYS: [&str; 5] = [SCHEMA, INVARIANTS, GUARDRAILS, CATALOGUE, ROLES];
/// Cases are read by [`super::cases`] only: they check decisions and make none.
pub(super) const CASES: &str = "tests";

/// The files of a policy directory, by their path inside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    /// Those that decide, sorted.
    pub(super) deciding: BTreeMap<String, String>,
    /// Cases, proof and manifest.
    pub(super) beside: BTreeMap<String, String>,
}

impl Files {
    /// Reads the directory. The faults name files that are missing, unreadable or unknown.
    pub(super) fn read(dir: &Path) -> (Self, Vec<PolicyFault>) {
        let mut files = Self::default();
        let mut faults = Vec::new();
        let mut read = |name: String, path: &Path, texts: &mut BTreeMap<String, String>| {
            match fs::read_to_string(path) {
                Ok(text) => drop(texts.insert(name, text)),
                Err(error) => faults.push(PolicyFault::new(&name, Problem::Unreadable(error.to_string()))),
            }
        };
        for name in ALWAYS {
            read(name.to_owned(), &dir.join(name), &mut files.deciding);
        }
        let mut unexpected = Vec::new();
        for (folder, ending, texts) in
            [(PURPOSES, ".cedar", &mut files.deciding), (CASES, ".toml", &mut files.beside)]
        {
            for (name, path) in entries(&dir.join(folder)) {
                let name = format!("{folder}/{name}");
                if name.ends_with(ending) { read(name, &path, texts) } else { unexpected.push(name) }
            }
        }
        for (name, path) in entries(dir) {
            match name.as_str() {
                // Whether these must be there is asked where they are needed.
                MANIFEST | PROOF => read(name, &path, &mut files.beside),
                SCHEMA | INVARIANTS | GUARDRAILS | CATALOGUE | ROLES | PURPOSES | CASES => {}
                _ if name.ends_with(".md") => {}
                _ => unexpected.push(name),
            }
        }
        faults.extend(unexpected.iter().map(|name| PolicyFault::new(name, Problem::UnexpectedFile)));
        (files, faults)
    }

    /// Files that decide, from somewhere else than a directory, such as the log.
    pub(super) fn of(deciding: BTreeMap<String, String>) -> (Self, Vec<PolicyFault>) {
        let missing = ALWAYS.into_iter().filter(|name| !deciding.contains_key(*name));
        let fault = |name| PolicyFault::new(name, Problem::Unreadable("it is not there".to_owned()));
        let faults = missing.map(fault).collect();
        (Self { deciding, beside: BTreeMap::new() }, faults)
    }

    /// What a manifest lists: every file but the manifest itself.
    pub(super) fn listed(&self) -> BTreeMap<String, String> {
        let all = self.deciding.iter().chain(&self.beside);
        all.filter(|(name, _)| *name != MANIFEST).map(|(name, text)| (name.clone(), text.clone())).collect()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.deciding.get(name).or_else(|| self.beside.get(name)).map(String::as_str)
    }

    /// The files of purposes: path, name of the purpose, text.
    pub(super) fn purposes(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.deciding.iter().filter_map(|(path, text)| {
            let name = path.strip_prefix(PURPOSES)?.strip_prefix('/')?.strip_suffix(".cedar")?;
            Some((path.as_str(), name, text.as_str()))
        })
    }

    /// The SHA-256 of what `sha256sum` prints for these files in the order of their names, so that anybody can repeat
    /// it with two common tools.
    pub(super) fn hash(&self) -> String {
        let mut sums = String::new();
        for (path, text) in &self.deciding {
            // Writing to a string cannot fail.
            let _ = writeln!(sums, "{}  {path}", sha256(text));
        }
        format!("sha256:{}", sha256(&sums))
    }
}

/// The line of a place in a text, counted from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
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
        for name in ALWAYS.into_iter().chain(["purposes/B.cedar", "purposes/A.cedar"]) {
            fs::write(dir.path().join(name), format!("{name}\n")).unwrap();
        }
        let (files, faults) = Files::read(dir.path());
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(files.hash(), "sha256:b74952399b03277151c87aa1ccedd5437e7baf3e4afb4df0569db5f51939ed03");
    }
}
