//! What is written down for operators: the example, and the gateway's section.

use std::{fs, path::Path};

use sluis::{
    config::{ConfigFault, Settings},
    note::cosignature::CosignerKey,
    witness::config::WitnessSettings,
};

fn examples() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples"))
}

#[test]
fn the_example_loads() {
    let settings = WitnessSettings::load(&examples().join("witness.toml")).unwrap();
    let origin = |year: u32| format!("test.sluis.example/regio/{year}");
    assert!(settings.keys_of(&origin(2026)).is_some() && settings.keys_of(&origin(2027)).is_some());
    assert_eq!(settings.keys_of("test.sluis.example/another/2026"), None);
}

#[test]
fn the_witnesses_of_a_gateway_are_a_quorum_of_different_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sluis.toml");
    let example = fs::read_to_string(examples().join("sluis.toml")).unwrap();
    let read = |more: &str| {
        fs::write(&path, format!("{example}\n{more}")).unwrap();
        Settings::load(&path).map(|settings| settings.witnessing)
    };
    let key = |n: u8| CosignerKey::new(&format!("w{n}"), [n; 32]).unwrap();
    let witness = |key: &CosignerKey| format!("[[witness]]\nurl = \"https://w.example/\"\nkey = \"{key}\"\n");
    let three: String = (1..4).map(|n| witness(&key(n))).collect();

    assert_eq!(read("").unwrap().witnesses.len(), 0);
    assert_eq!(read(&three).unwrap().quorum, 3, "all, unless it says otherwise");
    let two = read(&format!("{three}roots = [\"ca.pem\"]\n[witnessing]\nquorum = 2\nevery_s = 5\n")).unwrap();
    assert_eq!((two.quorum, two.every.as_secs()), (2, 5));
    assert_eq!(two.witnesses[2].roots, [folder.path().join("ca.pem")]);
    let reserved = CosignerKey::new("witnesses", [9; 32]).unwrap();
    let same_key = CosignerKey::new("w9", [1; 32]).unwrap();
    for bad in [
        format!("{three}[witnessing]\nquorum = 0\n"),
        format!("{three}[witnessing]\nquorum = 4\n"),
        format!("{three}[witnessing]\nevery_s = 0\n"),
        format!("{three}{}", witness(&key(1))),
        format!("{three}{}", witness(&same_key)),
        witness(&reserved),
        witness(&key(1)).replace("+B", "+A"),
    ] {
        assert!(matches!(read(&bad), Err(ConfigFault::Value { .. })), "{bad}");
    }
    assert!(matches!(read(&format!("{three}insecure = true\n")), Err(ConfigFault::Syntax { .. })));
}
