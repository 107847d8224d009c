//! The files of the demo, inside the program, so that it runs from anywhere.

/// A file of the demo: its path inside the folder it is written to, and its text.
pub type Embedded = (&'static str, &'static str);

/// Participants, with placeholders for keys and addresses.
pub const PARTICIPANTS: &str = include_str!("../../demo/participants.toml");
/// Agreements.
pub const AGREEMENTS: &str = include_str!("../../demo/agreements.toml");
/// The consent form of the story, unsigned.
pub const MAIN_FORM: &str = include_str!("../../demo/forms/main.json");
/// OIN of the gateway.
pub const GATEWAY_OIN: &str = "00000099000000100000";

/// Statements of each source, by its OIN.
pub const STATEMENTS: [Embedded; 4] = [
    ("00000099000001001000", include_str!("../../demo/statements/00000099000001001000.json")),
    ("00000099000002001000", include_str!("../../demo/statements/00000099000002001000.json")),
    ("00000099000003001000", include_str!("../../demo/statements/00000099000003001000.json")),
    ("00000099000003002000", include_str!("../../demo/statements/00000099000003002000.json")),
];

/// The policies, with their cases, proof and manifest.
pub const POLICIES: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));
