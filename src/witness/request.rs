//! The body of an `add-checkpoint` request, and the checkpoint in it.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    audit::{checkpoint::Checkpoint, tree::Hash},
    note::Note,
};

/// Most lines of a proof, by the specification.
const MAX_PROOF: usize = 63;

/// The body is not in the form of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an old size, a proof, an empty line and a checkpoint")]
pub struct Malformed;

/// A request to cosign, with nothing of it verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size of the checkpoint that the proof begins at.
    pub old_size: u64,
    /// Consistency proof from there to the checkpoint.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: Note,
    /// What it says.
    pub checkpoint: Checkpoint,
}

/// Origin, size and root of a checkpoint. Further lines are allowed here, unlike in a log of our own: a witness cosigns them
/// as they stand, and says nothing about them.
fn read_text(text: &str) -> Option<Checkpoint> {
    let mut lines = text.split_inclusive('\n');
    let first: String = lines.by_ref().take(3).collect();
    let further = lines.all(|line| line.len() > 1);
    Checkpoint::parse(&first).ok().filter(|_| further)
}

/// Takes a signed checkpoint apart.
///
/// # Errors
/// If it is none.
pub fn read_checkpoint(text: &str) -> Result<(Checkpoint, Note), Malformed> {
    let note = Note::parse(text).map_err(|_| Malformed)?;
    let checkpoint = read_text(note.unverified_text()).ok_or(Malformed)?;
    Ok((checkpoint, note))
}

/// Writes a request.
#[must_use]
pub fn write(old_size: u64, proof: &[Hash], checkpoint: &str) -> String {
    let mut body = format!("old {old_size}\n");
    for hash in proof {
        body.push_str(&BASE64_STANDARD.encode(hash));
        body.push('\n');
    }
    body.push('\n');
    body.push_str(checkpoint);
    body
}

/// A size as these formats write it.
pub(super) fn size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

impl AddCheckpoint {
    /// Reads a request.
    ///
    /// # Errors
    /// If it is none, or its old size lies above that of the checkpoint.
    pub fn parse(body: &str) -> Result<Self, Malformed> {
        let (head, checkpoint) = body.split_once("\n\n").ok_or(Malformed)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).ok_or(Malformed)?;
        let old_size = size(old).ok_or(Malformed)?;
        let mut proof = Vec::new();
        for line in lines {
            let hash = BASE64_STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok());
            proof.push(hash.filter(|_| proof.len() < MAX_PROOF).ok_or(Malformed)?);
        }
        let (checkpoint, note) = read_checkpoint(checkpoint)?;
        Ok(Self { old_size, proof, note, checkpoint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteSigner;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let signer =
            NoteSigner::from_pkcs8("test.example/1", &NoteSigner::generate_pkcs8().unwrap()).unwrap();
        let text = Checkpoint { origin: "test.example/1".to_owned(), size: 9, root: [3; 32] }.to_string();
        let note = signer.sign(&text).unwrap();
        let body = write(4, &[[1; 32], [2; 32]], &note);
        let read = AddCheckpoint::parse(&body).unwrap();
        assert_eq!((read.old_size, read.proof.as_slice()), (4, &[[1; 32], [2; 32]][..]));
        assert_eq!(read.checkpoint.size, 9);
        let extended = signer.sign(&format!("{text}one\ntwo\n")).unwrap();
        assert_eq!(AddCheckpoint::parse(&write(0, &[], &extended)).unwrap().checkpoint, read.checkpoint);
        for bad in [
            String::new(),
            note.clone(),
            body.replacen("old 4", "old 04", 1),
            body.replacen("old 4", "old +4", 1),
            body.replacen("old 4", "old  4", 1),
            body.replacen("old 4", "4", 1),
            body.replacen("old 4\n", "old 4\r\n", 1),
            body.replacen("AQ", "A?", 1),
            body.trim_end().to_owned(),
            write(4, &[[1; 32]; 64], &note),
            write(4, &[], &signer.sign(&text.replacen("9\n", "x\n", 1)).unwrap()),
            write(4, &[], &signer.sign(&format!("{text}\nfurther\n")).unwrap()),
            write(4, &[], &text),
        ] {
            assert_eq!(AddCheckpoint::parse(&bad), Err(Malformed), "{bad:?}");
        }
    }
}
