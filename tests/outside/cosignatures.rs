//! A witness's signature (<https://c2sp.org/tlog-cosignature>, note type 0x04) beside the log's own on one checkpoint.
//! `signed_note` 0.2 knows type 0x01 only, and takes others as implementations of its trait.

use signed_note::{Signature, Signer as _, StandardSigner, StandardVerifier, Verifier, VerifierList};
use sluis::{
    audit::checkpoint::Checkpoint,
    note::{self, Note},
};

use crate::{
    logs,
    notes::{both, known},
};

const NAME: &str = "test-key.witness.example";

/// Verifies cosignatures by a key of theirs.
struct WitnessKey {
    key: StandardVerifier,
    id: u32,
}

/// What a witness signs: a time, and the text of the checkpoint.
fn message(time: u64, text: &[u8]) -> Vec<u8> {
    [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat()
}

impl Verifier for WitnessKey {
    fn name(&self) -> &str {
        self.key.name()
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let Some((time, signature)) = signature.split_first_chunk() else { return false };
        self.key.verify(&message(u64::from_be_bytes(*time), text), signature)
    }
}

fn witness() -> (StandardSigner, WitnessKey) {
    let (ours, signer) = both(NAME, [8; 32]);
    let id = signed_note::key_id(NAME, &[&[4], ours.verifier().public_key().as_slice()].concat());
    (signer, WitnessKey { key: StandardVerifier::new(&ours.verifier().to_string()).unwrap(), id })
}

/// Adds a cosignature line.
fn cosigned(note: &str, signer: &StandardSigner, id: u32, time: u64) -> String {
    let text = format!("{}\n", note.rsplit_once("\n\n").unwrap().0);
    let signature = signer.sign(&message(time, text.as_bytes())).unwrap();
    let signature = [time.to_be_bytes().as_slice(), &signature].concat();
    let line = Signature::new(NAME.to_owned(), id, signature).unwrap();
    format!("{note}{}", String::from_utf8(line.to_bytes()).unwrap())
}

#[test]
fn a_cosigned_checkpoint_is_read_by_both() {
    let log = logs::long("cosigned", 20);
    let (signer, key) = witness();
    let (id, keys) = (key.id, [log.signer().verifier().clone()]);
    let note = cosigned(&log.signed(20).unwrap(), &signer, id, 1_795_426_200);

    let theirs = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let all = VerifierList::new(vec![
        Box::new(StandardVerifier::new(&keys[0].to_string()).unwrap()),
        Box::new(key),
    ]);
    let (verified, unknown) = theirs.verify(&all).unwrap();
    assert_eq!((verified.len(), unknown.len()), (2, 0));
    let (verified, unknown) = theirs.verify(&known(&keys[0])).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 1));

    // Without the witness's key its line is one of an unknown key, with the time and the signature in it.
    let (checkpoint, unknown) = Checkpoint::open(&note, &keys).unwrap();
    assert_eq!(checkpoint, log.checkpoint(20).unwrap());
    let [line] = unknown.as_slice() else { panic!("{unknown:?}") };
    assert_eq!((line.name.as_str(), u32::from_be_bytes(line.id), line.bytes.len()), (NAME, id, 72));
    assert_eq!(line.bytes[..8], 1_795_426_200_u64.to_be_bytes());
    assert_eq!(Note::parse(&note).unwrap().signatures().len(), 2);
}

#[test]
fn a_cosignature_is_no_signature_of_another_type() {
    let log = logs::long("cosigned", 20);
    let (signer, key) = witness();
    // The same key used as a log's: the ids differ, so neither is ever taken for the other.
    let (as_log, _) = both(NAME, [8; 32]);
    assert_ne!(u32::from_be_bytes(as_log.verifier().id()), key.id);
    let note = cosigned(&log.signed(20).unwrap(), &signer, key.id, 1);
    let opened = note::open(&note, &[log.signer().verifier().clone(), as_log.verifier().clone()]).unwrap();
    assert_eq!((opened.signed_by.len(), opened.unknown.len()), (1, 1));
    // Under the id of the log's type it is a signature that does not verify, for them and for us.
    let claimed = u32::from_be_bytes(as_log.verifier().id());
    let note = cosigned(&log.signed(20).unwrap(), &signer, claimed, 1);
    assert!(note::open(&note, &[log.signer().verifier().clone(), as_log.verifier().clone()]).is_err());
    assert!(
        signed_note::Note::from_bytes(note.as_bytes()).unwrap().verify(&known(as_log.verifier())).is_err()
    );
}
