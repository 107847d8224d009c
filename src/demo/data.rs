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

/// The policies.
pub const POLICIES: [Embedded; 11] = [
    ("guardrails.cedar", include_str!("../../policies/guardrails.cedar")),
    ("purposes.toml", include_str!("../../policies/purposes.toml")),
    ("schema.cedarschema", include_str!("../../policies/schema.cedarschema")),
    ("purposes/JOB_COACHING.cedar", include_str!("../../policies/purposes/JOB_COACHING.cedar")),
    ("purposes/JOB_PLACEMENT.cedar", include_str!("../../policies/purposes/JOB_PLACEMENT.cedar")),
    ("purposes/PLAN_ALIGNMENT.cedar", include_str!("../../policies/purposes/PLAN_ALIGNMENT.cedar")),
    ("purposes/REINTEGRATION.cedar", include_str!("../../policies/purposes/REINTEGRATION.cedar")),
    ("purposes/SHELTERED_WORK.cedar", include_str!("../../policies/purposes/SHELTERED_WORK.cedar")),
    (
        "purposes/TARGET_GROUP_REGISTER.cedar",
        include_str!("../../policies/purposes/TARGET_GROUP_REGISTER.cedar"),
    ),
    ("purposes/WAGE_VALUE.cedar", include_str!("../../policies/purposes/WAGE_VALUE.cedar")),
    (
        "purposes/WORKPLACE_ADJUSTMENT.cedar",
        include_str!("../../policies/purposes/WORKPLACE_ADJUSTMENT.cedar"),
    ),
];
