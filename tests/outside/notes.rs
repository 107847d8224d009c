//! Notes, keys and checkpoints: written here and read by `signed_note` and `tlog_tiles`, and the other way round.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use proptest::{prelude::*, sample::Index};
use ring::signature::Ed25519KeyPair;
use signed_note::{Signer as _, StandardSigner, StandardVerifier, Verifier as _, VerifierList};
use sluis::{
    audit::checkpoint::Checkpoint,
    note::{self, NoteFault, NoteSigner, VerifierKey},
};

/// The same key twice: as ours, and as theirs.
pub fn both(name: &str, seed: [u8; 32]) -> (NoteSigner, StandardSigner) {
    let ours = NoteSigner::new(name, Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()).unwrap();
    let public = [&[1], ours.verifier().public_key().as_slice()].concat();
    let (id, private) = (signed_note::key_id(name, &public), [&[1], seed.as_slice()].concat());
    let key = format!("PRIVATE+KEY+{name}+{id:08x}+{}", BASE64_STANDARD.encode(private));
    (ours, StandardSigner::new(&key).unwrap())
}

/// A list of this one key.
pub fn known(key: &VerifierKey) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(&key.to_string()).unwrap())])
}

/// Signs with theirs.
fn signed(signer: &StandardSigner, text: &str) -> String {
    let mut note = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
    note.add_sigs(&[signer]).unwrap();
    String::from_utf8(note.to_bytes()).unwrap()
}

/// Their verdict: whether at least one known key signed, and none falsely.
fn opens(note: &[u8], known: &VerifierList) -> bool {
    signed_note::Note::from_bytes(note).is_ok_and(|note| note.verify(known).is_ok())
}

proptest! {
    #[test]
    fn a_note_is_the_same_whoever_signs_it(
        name in "[a-zé][a-z0-9./é-]{0,30}",
        seed: [u8; 32],
        text in "(\\PC{0,30}\n){1,6}",
    ) {
        let (ours, theirs) = both(&name, seed);
        let note = ours.sign(&text).unwrap();
        prop_assert_eq!(&note, &signed(&theirs, &text));
        prop_assert_eq!(u32::from_be_bytes(ours.verifier().id()), theirs.key_id());

        let read = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
        let (verified, unknown) = read.verify(&known(ours.verifier())).unwrap();
        prop_assert_eq!((verified.len(), unknown.len(), read.text()), (1, 0, text.as_bytes()));
        let opened = note::open(&note, &[ours.verifier().clone()]).unwrap();
        prop_assert_eq!(opened.text, text);
    }

    #[test]
    fn a_spoilt_note_opens_for_nobody(at: Index, way in 0..4_u8, byte: u8) {
        let (ours, _) = both("test.example/2026", [7; 32]);
        let note = ours.sign("test.example/2026\n20\nqqq=\n\nmore\n").unwrap();
        let mut other = note.clone().into_bytes();
        let place = at.index(other.len());
        match way {
            0 => other[place] ^= 1 << (byte % 8),
            1 => _ = other.remove(place),
            2 => other.insert(place, byte),
            _ => other.truncate(place),
        }
        prop_assume!(other != note.as_bytes());
        let keys = [ours.verifier().clone()];
        let opened = std::str::from_utf8(&other).is_ok_and(|note| note::open(note, &keys).is_ok());
        prop_assert!(!opened && !opens(&other, &known(ours.verifier())), "{}", String::from_utf8_lossy(&other));
    }

    #[test]
    fn a_key_is_read_by_both_or_by_nobody(seed: [u8; 32], at: Index, byte in prop::option::of(any::<char>())) {
        let (ours, _) = both("test.example/2026", seed);
        let text = ours.verifier().to_string();
        let theirs = StandardVerifier::new(&text).unwrap();
        prop_assert_eq!((theirs.name(), theirs.key_id()), ("test.example/2026", u32::from_be_bytes(ours.verifier().id())));
        let mut other: Vec<char> = text.chars().collect();
        let place = at.index(other.len());
        match byte {
            Some(byte) => other[place] = byte,
            None => _ = other.remove(place),
        }
        let other: String = other.into_iter().collect();
        // They read an id in capitals too; for us a key has one text.
        prop_assume!(other.to_lowercase() != text.to_lowercase());
        prop_assert_eq!(other.parse::<VerifierKey>().is_ok(), StandardVerifier::new(&other).is_ok(), "{}", other);
    }

    #[test]
    fn a_checkpoint_is_the_same_whoever_writes_it(origin in "[a-z][a-z0-9./-]{0,30}", size: u64, root: [u8; 32]) {
        let ours = Checkpoint { origin: origin.clone(), size, root };
        let theirs = tlog_tiles::Checkpoint::new(&origin, size, tlog_tiles::Hash(root), "").unwrap();
        prop_assert_eq!(ours.to_string().into_bytes(), theirs.to_bytes());
        prop_assert_eq!(tlog_tiles::Checkpoint::from_bytes(ours.to_string().as_bytes()).unwrap(), theirs);
        prop_assert_eq!(Checkpoint::parse(&ours.to_string()), Ok(ours));
    }

    /// What we take for a checkpoint, they do too, with the same content.
    #[test]
    fn a_spoilt_checkpoint_is_never_ours_alone(at: Index, way in 0..3_u8, byte: u8) {
        let checkpoint = Checkpoint { origin: "test.example/2026".to_owned(), size: 1070, root: [9; 32] };
        let mut other = checkpoint.to_string().into_bytes();
        let place = at.index(other.len());
        match way {
            0 => other[place] ^= 1 << (byte % 8),
            1 => _ = other.remove(place),
            _ => other.insert(place, byte),
        }
        let Some(ours) = String::from_utf8(other.clone()).ok().and_then(|text| Checkpoint::parse(&text).ok()) else {
            return Ok(());
        };
        let theirs = tlog_tiles::Checkpoint::from_bytes(&other).unwrap();
        prop_assert_eq!((ours.origin.as_str(), ours.size, ours.root), (theirs.origin(), theirs.size(), theirs.hash().0));
        prop_assert_eq!(theirs.extension(), "");
    }
}

/// Where a reader may choose, we chose the narrower way; theirs did not.
#[test]
fn we_refuse_some_notes_that_they_let_pass() {
    let (ours, _) = both("test.example/2026", [7; 32]);
    let (keys, known) = ([ours.verifier().clone()], known(ours.verifier()));
    let text = "test.example/2026\n20\nSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSQ=\n";
    let note = ours.sign(text).unwrap();
    let line = note.rsplit_once("\n\n").unwrap().1;

    // The same line twice says nothing more, and would let one export have two forms.
    let twice = format!("{note}{line}");
    assert!(opens(twice.as_bytes(), &known));
    assert_eq!(note::open(&twice, &keys), Err(NoteFault::Malformed));

    // So would a further text of the same key.
    let capitals = keys[0].to_string().replace(&hex::encode(keys[0].id()), &hex::encode_upper(keys[0].id()));
    assert!(StandardVerifier::new(&capitals).is_ok() && capitals.parse::<VerifierKey>().is_err());

    // Extension lines are allowed in a checkpoint; nobody could check what they say.
    let extended = format!("{text}more\n");
    assert!(tlog_tiles::Checkpoint::from_bytes(extended.as_bytes()).is_ok());
    assert!(Checkpoint::parse(&extended).is_err());

    // A name goes into messages and onto screens.
    assert!(signed_note::is_key_name_valid("bell\u{7}") && VerifierKey::new("bell\u{7}", [1; 32]).is_err());
}
