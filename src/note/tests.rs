use proptest::prelude::*;

use super::*;

fn signer(name: &str) -> NoteSigner {
    NoteSigner::from_pkcs8(name, &NoteSigner::generate_pkcs8().unwrap()).unwrap()
}

#[test]
fn opens_the_note_of_another_implementation() {
    // The example in the documentation of golang.org/x/mod/sumdb/note.
    let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let line = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf\
                qdngotpRZb6KE6RyyBwJnAM=\n";
    let key: VerifierKey = key.parse().unwrap();
    let opened = open(&format!("{text}\n{line}"), std::slice::from_ref(&key)).unwrap();
    assert_eq!((opened.text.as_str(), opened.signed_by), (text, vec![key]));
}

#[test]
fn tells_tampering_from_an_unknown_key() {
    let (ours, other) = (signer("test.example/log"), signer("test.example/witness"));
    let note = ours.sign("one\n\ntwo\n").unwrap();
    let both = format!("{note}{}", other.sign("one\n\ntwo\n").unwrap().rsplit_once("\n\n").unwrap().1);
    let keys = [ours.verifier().clone()];
    let opened = open(&both, &keys).unwrap();
    assert_eq!(opened.text, "one\n\ntwo\n");
    assert_eq!(opened.unknown.len(), 1);
    assert_eq!(open(&note, &[other.verifier().clone()]), Err(NoteFault::Unsigned));
    assert_eq!(
        open(&note.replace("two", "2"), &keys),
        Err(NoteFault::BadSignature("test.example/log".to_owned()))
    );
    // Another key with the same name has another id: unknown, not tampering.
    assert_eq!(open(&note, &[signer("test.example/log").verifier().clone()]), Err(NoteFault::Unsigned));
}

#[test]
fn refuses_what_is_no_note_or_no_key() {
    let signer = signer("test.example/log");
    let note = signer.sign("text\n").unwrap();
    let line = note.rsplit_once("\n\n").unwrap().1;
    for bad in [
        String::new(),
        "text\n".to_owned(),
        format!("text\n\n{line}{line}"),
        note.trim_end().to_owned(),
        note.replace("text", "te\txt"),
        note.replace('\u{2014}', "-"),
        format!("\n{line}"),
        format!("{note}\n"),
    ] {
        assert_eq!(Note::parse(&bad), Err(NoteFault::Malformed), "{bad:?}");
    }
    assert!(signer.sign("no end").is_err());
    assert!(signer.sign("").is_err());
    let vkey = signer.verifier().to_string();
    assert_eq!(vkey.parse::<VerifierKey>().as_ref(), Ok(signer.verifier()));
    let base = vkey.rsplit_once('+').unwrap().1;
    for bad in ["", "a+b", &format!("a b+00000000+{base}"), &format!("test.example/log+00000000+{base}")] {
        assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
    }
    assert!(!format!("{signer:?}").contains("KeyPair"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = open(&text, &[]);
        let _ = text.parse::<VerifierKey>();
    }
}
