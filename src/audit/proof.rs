//! Proofs that stand alone (<https://c2sp.org/tlog-proof>): a position, an inclusion proof and a signed checkpoint.

use std::{fmt, str::FromStr};

use super::{
    b64,
    checkpoint::number,
    tree::{Hash, ProofFault, root_from_inclusion},
};

const HEAD: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^63 leaves is 63 levels high.
const MAX_HASHES: usize = 63;

/// The text is not a proof in this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a proof in the tlog-proof format")]
pub struct TlogProofFault;

/// Proof that an entry stands in a log. As text, the content of a `.tlog-proof` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Data beside the proof that nothing authenticates. Sluis writes none.
    pub extra: Option<Vec<u8>>,
    /// Position of the entry.
    pub index: u64,
    /// Inclusion proof, from the leaf's sibling up.
    pub hashes: Vec<Hash>,
    /// The checkpoint as a signed note, verbatim.
    pub checkpoint: String,
}

impl TlogProof {
    /// Root of the tree of `size` leaves that has this entry's bytes at this position.
    ///
    /// # Errors
    /// If no such tree can have this proof.
    pub fn root(&self, entry: &[u8], size: u64) -> Result<Hash, ProofFault> {
        root_from_inclusion(self.index, size, super::tree::leaf_hash(entry), &self.hashes)
    }
}

impl FromStr for TlogProof {
    type Err = TlogProofFault;

    fn from_str(text: &str) -> Result<Self, TlogProofFault> {
        let parse = || {
            let (head, checkpoint) = text.split_once("\n\n")?;
            let mut lines = head.split('\n').peekable();
            if lines.next()? != HEAD || checkpoint.is_empty() {
                return None;
            }
            let extra = match lines.next_if(|line| line.starts_with("extra ")) {
                Some(line) => Some(b64::decode(line.strip_prefix("extra ")?)?),
                None => None,
            };
            let index = number(lines.next()?.strip_prefix("index ")?)?;
            let hashes = lines.map(b64::hash).collect::<Option<Vec<_>>>()?;
            let checkpoint = checkpoint.to_owned();
            (hashes.len() <= MAX_HASHES).then_some(Self { extra, index, hashes, checkpoint })
        };
        parse().ok_or(TlogProofFault)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", b64::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", b64::encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_other_forms() {
        let good = "c2sp.org/tlog-proof@v1\nindex 0\n\nlog\n1\n";
        assert!(good.parse::<TlogProof>().is_ok());
        for bad in [
            "",
            "c2sp.org/tlog-proof@v1\nindex 0\n\n",
            "c2sp.org/tlog-proof@v1\nindex 00\n\nlog\n",
            "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nlog\n",
            "c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\nlog\n",
            "c2sp.org/tlog-proof@v2\nindex 0\n\nlog\n",
            "c2sp.org/tlog-proof@v1\n\nlog\n",
        ] {
            assert_eq!(bad.parse::<TlogProof>(), Err(TlogProofFault), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(
            extra in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
            index: u64,
            hashes in prop::collection::vec(any::<Hash>(), 0..10),
        ) {
            let proof = TlogProof { extra, index, hashes, checkpoint: "a\n1\n\n- b\n".to_owned() };
            prop_assert_eq!(proof.to_string().parse(), Ok(proof));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            if let Ok(proof) = text.parse::<TlogProof>() {
                prop_assert_eq!(proof.to_string(), text);
            }
        }
    }
}
