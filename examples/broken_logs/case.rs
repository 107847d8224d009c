//! One thing to verify, and what a verifier should say of it.

use super::files::Files;

/// Position of an entry, where it is about one, and code.
pub type Finding = (Option<u64>, &'static str);

/// What is verified.
pub enum What {
    /// A folder.
    Export(Files),
    /// The text of a receipt file.
    Receipt(String),
}

/// One thing to verify.
pub struct Case {
    /// Name of its folder or file.
    pub name: &'static str,
    /// What is wrong with it, in words.
    pub says: &'static str,
    /// What is verified.
    pub what: What,
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
        Self { name, says, what, since: None, exit: 0, findings: Vec::new() }
    }

    /// What is found in it.
    pub fn finds(self, exit: u8, findings: &[Finding]) -> Self {
        Self { exit, findings: findings.to_vec(), ..self }
    }

    /// Verified against an earlier checkpoint.
    pub fn since(self, note: String) -> Self {
        Self { since: Some(note), ..self }
    }

    /// Where it stands below `tests/broken-logs`.
    pub fn path(&self) -> String {
        match self.what {
            What::Export(_) => format!("exports/{}", self.name),
            What::Receipt(_) => format!("receipts/{}.json", self.name),
        }
    }
}
