//! Checkpoints (<https://c2sp.org/tlog-checkpoint>): the text that a log signs, of origin, size and root.

use std::fmt;

use super::{b64, tree::Hash};
use crate::note::{self, NoteFault, NoteSigner, VerifierKey};

/// What a log says of itself at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log, such as `log.example.nl/2026`; also the name of its key.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

/// Why a checkpoint is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// The text is not exactly origin, size and root. Extension lines are refused too: nobody can check them.
    #[error("not a checkpoint of origin, size and root hash")]
    Malformed,
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// Signed, but not by the key that bears the origin's name.
    #[error("not signed by the log it names")]
    Origin,
}

/// A number as these formats write it: decimal digits without a leading zero.
pub(crate) fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl Checkpoint {
    /// Reads the text of a checkpoint, without its signatures.
    ///
    /// # Errors
    /// [`CheckpointFault::Malformed`].
    pub fn parse(text: &str) -> Result<Self, CheckpointFault> {
        let parse = || {
            let mut lines = text.strip_suffix('\n')?.split('\n');
            let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
            let odd = |c: char| c.is_whitespace() || c.is_control() || c == '+';
            if lines.next().is_some() || origin.is_empty() || origin.contains(odd) {
                return None;
            }
            Some(Self { origin: origin.to_owned(), size: number(size)?, root: b64::hash(root)? })
        };
        parse().ok_or(CheckpointFault::Malformed)
    }

    /// The signed note of this checkpoint.
    ///
    /// # Errors
    /// If the signer has another name than the origin.
    pub fn sign(&self, signer: &NoteSigner) -> Result<String, CheckpointFault> {
        if signer.verifier().name() != self.origin {
            return Err(CheckpointFault::Origin);
        }
        Ok(signer.sign(&self.to_string())?)
    }

    /// Opens a signed checkpoint with known keys, one of which must be the log's own. Gives the signature lines of
    /// unknown keys too.
    ///
    /// # Errors
    /// As the note, or if the text is no checkpoint or not signed by the log it names.
    pub fn open(note: &str, keys: &[VerifierKey]) -> Result<(Self, Vec<note::Signature>), CheckpointFault> {
        let opened = note::open(note, keys)?;
        let checkpoint = Self::parse(&opened.text)?;
        if !opened.signed_by.iter().any(|key| key.name() == checkpoint.origin) {
            return Err(CheckpointFault::Origin);
        }
        Ok((checkpoint, opened.unknown))
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, b64::encode(&self.root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tree::leaf_hash;

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "test.example/2026".to_owned(), size: 20, root: leaf_hash(b"") }
    }

    #[test]
    fn only_its_own_log_signs_it() {
        let signer = |name| NoteSigner::from_pkcs8(name, &NoteSigner::generate_pkcs8().unwrap()).unwrap();
        let (log, other) = (signer("test.example/2026"), signer("test.example/2027"));
        let note = checkpoint().sign(&log).unwrap();
        assert_eq!(Checkpoint::open(&note, &[log.verifier().clone()]), Ok((checkpoint(), vec![])));
        assert_eq!(checkpoint().sign(&other), Err(CheckpointFault::Origin));
        let foreign = other.sign(&checkpoint().to_string()).unwrap();
        assert_eq!(Checkpoint::open(&foreign, &[other.verifier().clone()]), Err(CheckpointFault::Origin));
    }

    #[test]
    fn has_one_text_only() {
        let text = checkpoint().to_string();
        assert_eq!(Checkpoint::parse(&text), Ok(checkpoint()));
        for bad in [
            String::new(),
            text.trim_end().to_owned(),
            format!("{text}extension\n"),
            format!("{text}\n"),
            text.replace("\n20\n", "\n020\n"),
            text.replace("\n20\n", "\n+20\n"),
            text.replace("\n20\n", "\n99999999999999999999\n"),
            text.replace("test.example", "test example"),
            text.replacen("test.example/2026", "", 1),
            text.replace('=', ""),
        ] {
            assert_eq!(Checkpoint::parse(&bad), Err(CheckpointFault::Malformed), "{bad:?}");
        }
    }
}
