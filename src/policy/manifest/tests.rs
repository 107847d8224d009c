use proptest::prelude::*;

use super::*;

fn signer(name: &str) -> NoteSigner {
    NoteSigner::from_pkcs8(name, &NoteSigner::generate_pkcs8().unwrap()).unwrap()
}

fn owner(signer: &NoteSigner) -> Owner {
    Owner { key: signer.verifier().clone(), name: format!("Voorbeeld {}", signer.verifier().name()) }
}

fn files() -> BTreeMap<String, String> {
    [("guardrails.cedar", "a"), ("purposes/X.cedar", "b")].map(|(n, t)| (n.to_owned(), t.to_owned())).into()
}

/// A manifest of these owners, signed by these.
fn manifest(version: u32, owners: &[&NoteSigner], by: &[&NoteSigner]) -> String {
    let owners: Vec<_> = owners.iter().map(|signer| owner(signer)).collect();
    by.iter().fold(text(version, &owners, &files()), |note, signer| sign(&note, signer).unwrap())
}

#[test]
fn a_manifest_is_in_force_once_every_owner_has_signed() {
    let (gemeente, ggz) = (signer("gemeente"), signer("ggz"));
    let both = manifest(1, &[&gemeente, &ggz], &[&gemeente, &ggz]);
    let read = Manifest::parse(&both).unwrap();
    assert_eq!((read.version(), read.owners().len(), read.note()), (1, 2, both.as_str()));
    assert_eq!(read.signed_by(), ["gemeente", "ggz"]);
    assert!(read.faults_of(&files()).is_empty());
    assert_eq!(read.hash(), format!("sha256:{}", sha256(&text(1, read.owners(), &files()))));

    let one = manifest(1, &[&gemeente, &ggz], &[&gemeente]);
    assert_eq!(Manifest::parse(&one), Err(ManifestFault::NotSigned("ggz".to_owned())));
    let none = manifest(1, &[&gemeente], &[]);
    assert_eq!(Manifest::parse(&none), Err(ManifestFault::Note(NoteFault::Malformed)));
    assert_eq!(Manifest::parse(""), Err(ManifestFault::Note(NoteFault::Malformed)));
    let other = manifest(1, &[&gemeente], &[&ggz]);
    assert_eq!(Manifest::parse(&other), Err(ManifestFault::Note(NoteFault::Unsigned)));
    assert_eq!(Manifest::parse(&manifest(0, &[&ggz], &[&ggz])), Err(ManifestFault::Version));
    let twice = text(1, &[owner(&ggz), owner(&ggz)], &files());
    assert_eq!(unverified(&twice), Err(ManifestFault::OwnerTwice("ggz".to_owned())));
    assert_eq!(unverified(&text(1, &[], &files())), Err(ManifestFault::NoOwner));
}

#[test]
fn signing_again_replaces_and_loses_nothing() {
    let (gemeente, ggz) = (signer("gemeente"), signer("ggz"));
    let both = manifest(1, &[&gemeente, &ggz], &[&gemeente, &ggz]);
    let again = sign(&both, &gemeente).unwrap();
    assert_eq!(again.lines().count(), both.lines().count());
    assert_eq!(Manifest::parse(&again).unwrap().hash(), Manifest::parse(&both).unwrap().hash());
}

#[test]
fn what_was_signed_is_what_is_there() {
    let ggz = signer("ggz");
    let read = Manifest::parse(&manifest(1, &[&ggz], &[&ggz])).unwrap();
    let mut changed = files();
    changed.insert("guardrails.cedar".to_owned(), "c".to_owned());
    assert_eq!(read.faults_of(&changed), [ManifestFault::FileDiffers("guardrails.cedar".to_owned())]);
    changed.remove("guardrails.cedar");
    changed.insert("more.cedar".to_owned(), String::new());
    assert_eq!(
        read.faults_of(&changed),
        [
            ManifestFault::FileMissing("guardrails.cedar".to_owned()),
            ManifestFault::FileUnnamed("more.cedar".to_owned())
        ]
    );
}

#[test]
fn r40_a_change_is_signed_by_those_who_owned_what_it_changes() {
    let (gemeente, ggz, operator) = (signer("gemeente"), signer("ggz"), signer("operator"));
    let first = Manifest::parse(&manifest(1, &[&gemeente, &ggz], &[&gemeente, &ggz])).unwrap();
    let follow = |note: &str| Manifest::parse(note).unwrap().may_follow(&first);

    assert_eq!(follow(&manifest(2, &[&gemeente, &ggz], &[&gemeente, &ggz])), Ok(()));
    assert_eq!(follow(first.note()), Ok(()), "what is in force stays in force");
    // The operator makes himself the owner.
    let usurped = ManifestFault::NotSignedByFormerOwner("gemeente".to_owned());
    assert_eq!(follow(&manifest(2, &[&operator], &[&operator])), Err(usurped));
    // One owner leaves the other out; with the other's signature he may.
    let alone = ManifestFault::NotSignedByFormerOwner("ggz".to_owned());
    assert_eq!(follow(&manifest(2, &[&gemeente], &[&gemeente])), Err(alone));
    assert_eq!(follow(&manifest(2, &[&gemeente], &[&gemeente, &ggz])), Ok(()));
    // A key of the same name is not the same key.
    let (namesake, alone) = (signer("ggz"), ManifestFault::NotSignedByFormerOwner("ggz".to_owned()));
    assert_eq!(follow(&manifest(2, &[&gemeente, &namesake], &[&gemeente, &namesake])), Err(alone));
    let lower = Err(ManifestFault::VersionNotHigher { version: 1, in_force: 1 });
    assert_eq!(follow(&manifest(1, &[&gemeente], &[&gemeente, &ggz])), lower);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever byte is changed, it is found, or it is in nothing that was signed.
    #[test]
    fn a_changed_byte_is_found(at in 0usize..2000, to in 32u8..127) {
        let ggz = signer("ggz");
        let note = manifest(1, &[&ggz], &[&ggz]);
        let mut bytes = note.clone().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(Manifest::parse(&text).is_err());
        }
    }
}
