//! One thing to verify, and what a verifier should say of it.

use super::files::Files;

/// Position of an entry, where it is about one, and code.
pub type Finding = (Option<u64>, &'static str);

/// What is verified.
pub enum What {
    /// A folder.
    Export(Files),
    /// A folder for each shard of a log, oldest first.
    Shards(Vec<Files>),
    /// The text of a receipt file.
    Receipt(String),
}

/// What it is verified with.
pub enum Trust {
    /// The keys of all cases.
    Usual,
    /// None.
    Nothing,
    /// A policy of its own.
    Own(String),
}

/// One thing to verify.
pub struct Case {
    /// Name of its folder or file.
    pub name: &'static str,
    /// What is wrong with it, in words.
    pub says: &'static str,
    /// What is verified.
    pub what: What,
    /// What it is verified with.
    pub trust: Trust,
    /// An earlier checkpoint, to verify it against.
    pub since: Option<String>,
    /// Exit status.
    pub exit: u8,
    /// What is found. Written down here, and not taken from what our verifier says.
    pub findings: Vec<Finding>,
}

impl Case {
    /// A case in which nothing is found.
    pub const fn new(name: &'static str, says: &'static str, what: What) -> Self {
        Self { name, says, what, trust: Trust::Usual, since: None, exit: 0, findings: Vec::new() }
    }

    /// What is found in it.
    pub fn finds(self, exit: u8, findings: &[Finding]) -> Self {
        Self { exit, findings: findings.to_vec(), ..self }
    }

    /// Verified against an earlier checkpoint.
    pub fn since(self, note: String) -> Self {
        Self { since: Some(note), ..self }
    }

    /// Verified with other keys than all cases are.
    pub fn trusting(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// Where it stands below `tests/broken-logs`: one path, or one for each shard.
    pub fn paths(&self) -> Vec<String> {
        match &self.what {
            What::Export(_) => vec![format!("exports/{}", self.name)],
            What::Shards(shards) => {
                (1..=shards.len()).map(|nth| format!("shards/{}/{nth}", self.name)).collect()
            }
            What::Receipt(_) => vec![format!("receipts/{}.json", self.name)],
        }
    }

    /// File with the keys to trust.
    pub fn trust_file(&self) -> Option<String> {
        match self.trust {
            Trust::Usual => Some("trust.txt".to_owned()),
            Trust::Nothing => None,
            Trust::Own(_) => Some(format!("trust/{}.txt", self.name)),
        }
    }
}
