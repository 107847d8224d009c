//! The organisations of a made-up labour-market region, and what they agreed.

use std::fmt::{Result, Write as _};

use ring::digest::{SHA256, digest};

/// An organisation.
#[derive(Debug, PartialEq, Eq)]
pub struct Party {
    pub oin: &'static str,
    pub name: &'static str,
    pub kind: &'static str,
    pub functions: &'static [&'static str],
    /// Role, and the last day if it ends.
    pub roles: &'static [(&'static str, Option<&'static str>)],
    pub contact: (&'static str, &'static str),
    pub complaint: &'static str,
    /// Name of its signing key, if it records or is party to an agreement.
    pub kid: Option<&'static str>,
}

/// The gateway. It takes part in no exchange, so it is no participant.
pub const GATEWAY: &str = "00000099000000100000";

pub const OFFICER: Party = Party {
    oin: "00000099000000101000",
    name: "Privacyfunctionaris Sluis Waterregio",
    kind: "gateway",
    functions: &["officer"],
    roles: &[],
    contact: ("functionaris gegevensbescherming", "088 000 0101"),
    complaint: "fg@sluis-waterregio.example",
    kid: None,
};

pub const WATERRIJK: Party = Party {
    oin: "00000099000001001000",
    name: "Gemeente Waterrijk",
    kind: "gemeente",
    functions: &["requester", "recorder", "source", "officer"],
    roles: &[("gem.klantmanager", None), ("gem.jobcoach", None), ("gem.accounthouder", Some("2027-12-31"))],
    contact: ("teamleider werk en inkomen", "088 000 1001"),
    complaint: "klachten@waterrijk.example",
    kid: Some("waterrijk-1"),
};

pub const SLUISDAM: Party = Party {
    oin: "00000099000001002000",
    name: "Gemeente Sluisdam",
    kind: "gemeente",
    functions: &["requester", "recorder"],
    // The job coaches of this town moved to another organisation.
    roles: &[("gem.klantmanager", None), ("gem.jobcoach", Some("2025-12-31"))],
    contact: ("kwaliteitsmedewerker participatie", "088 000 1002"),
    complaint: "klachten@sluisdam.example",
    kid: Some("sluisdam-1"),
};

pub const OEVERSTAD: Party = Party {
    oin: "00000099000001003000",
    name: "Gemeente Oeverstad",
    kind: "gemeente",
    functions: &["requester", "recorder"],
    roles: &[("gem.klantmanager", None), ("gem.jobcoach", None), ("gem.accounthouder", None)],
    contact: ("coördinator re-integratie", "088 000 1003"),
    complaint: "klachten@oeverstad.example",
    kid: Some("oeverstad-1"),
};

pub const POLDERVEEN: Party = Party {
    oin: "00000099000001004000",
    name: "Gemeente Polderveen",
    kind: "gemeente",
    functions: &["requester", "recorder"],
    roles: &[("gem.klantmanager", None)],
    contact: ("teamleider sociaal domein", "088 000 1004"),
    complaint: "klachten@polderveen.example",
    kid: Some("polderveen-1"),
};

pub const UWV: Party = Party {
    oin: "00000099000002001000",
    name: "UWV Waterregio (test)",
    kind: "uwv",
    functions: &["requester", "recorder", "source", "officer"],
    roles: &[("uwv.adviseur", None), ("uwv.arbeidsdeskundige", None)],
    contact: ("adviseur intensieve dienstverlening", "088 000 2001"),
    complaint: "klachten@uwv-waterregio.example",
    kid: Some("uwv-1"),
};

pub const GGZ_KADE: Party = Party {
    oin: "00000099000003001000",
    name: "GGZ De Kade",
    kind: "ggz",
    functions: &["requester", "recorder", "source", "officer"],
    roles: &[("ggz.trajectbegeleider", None)],
    contact: ("trajectbegeleider arbeid", "088 000 3001"),
    complaint: "klachten@dekade.example",
    kid: Some("kade-1"),
};

pub const GGZ_VEER: Party = Party {
    oin: "00000099000003002000",
    name: "GGZ Het Veer",
    kind: "ggz",
    functions: &["requester", "recorder", "source"],
    roles: &[("ggz.trajectbegeleider", None)],
    contact: ("coördinator arbeidsparticipatie", "088 000 3002"),
    complaint: "klachten@hetveer.example",
    kid: Some("veer-1"),
};

/// Name of the gateway's log, which every agreement holds for.
const REGION: &str = "test.sluis.example/waterregio";

/// Everybody who takes part.
pub const PARTIES: [&Party; 8] =
    [&OFFICER, &WATERRIJK, &SLUISDAM, &OEVERSTAD, &POLDERVEEN, &UWV, &GGZ_KADE, &GGZ_VEER];

const PARTICIPANTS_HEAD: &str = "\
# The participants of the demo, all of them made up. Written by `cargo run --example generate_demo`; edit that instead.
#
# Three things differ from one run to the next, so they are placeholders here, and this file does not load as it stands:
#   public = \"@key:<kid>\"   the public signing key of that name, 32 bytes in base64url
#   officer_key = [\"@officer:<name>\", ...]  the verifier keys with which the gateway's officers sign
#   url = \"@url:<oin>\"      https://localhost and the port on which that source listens
# The gateway itself is no participant; its own number is ";

/// `participants.toml`.
pub fn participants() -> std::result::Result<String, std::fmt::Error> {
    let mut file = format!("{PARTICIPANTS_HEAD}{GATEWAY}.\n");
    for party in PARTIES {
        participant(&mut file, party)?;
    }
    Ok(file)
}

fn participant(file: &mut String, party: &Party) -> Result {
    let (role, phone) = party.contact;
    writeln!(file, "\n[[organisation]]")?;
    writeln!(file, "oin = {:?}", party.oin)?;
    writeln!(file, "name = {:?}", party.name)?;
    writeln!(file, "kind = {:?}", party.kind)?;
    writeln!(file, "functions = {:?}", party.functions)?;
    writeln!(file, "complaint = {:?}", party.complaint)?;
    if party.kind == "gateway" {
        writeln!(file, "officer_key = [\"@officer:fg-1\", \"@officer:fg-2\"]")?;
    }
    writeln!(file, "[organisation.contact]\nrole = {role:?}\nphone = {phone:?}")?;
    for (role, until) in party.roles {
        writeln!(file, "[[organisation.role]]\nrole = {role:?}")?;
        if let Some(until) = until {
            writeln!(file, "until = {until:?}")?;
        }
    }
    if party.functions.contains(&"recorder") {
        for form in 1..=FORMS {
            writeln!(file, "[[organisation.form]]\nnumber = {form}\nversion = 3")?;
            writeln!(file, "explanations = [1, 2]\nfrom = \"2026-01-01\"")?;
        }
    }
    if let Some(kid) = party.kid {
        writeln!(file, "[[organisation.signing_key]]")?;
        writeln!(file, "kid = {kid:?}\npublic = \"@key:{kid}\"\nfrom = \"{KEYS_FROM}\"")?;
    }
    if party.functions.contains(&"source") {
        writeln!(file, "[organisation.endpoint]\nurl = \"@url:{}\"", party.oin)?;
    }
    Ok(())
}

/// First day of every signing key: no later than the first day of any agreement that it is to sign.
const KEYS_FROM: &str = "2023-01-01";

/// How many printed forms each recorder has.
const FORMS: u32 = 2;

const TOWN: [&str; 10] = [
    "REINTEGRATION",
    "PLAN_ALIGNMENT",
    "JOB_COACHING",
    "JOB_PLACEMENT",
    "WAGE_VALUE",
    "WORKPLACE_ADJUSTMENT",
    "TARGET_GROUP_REGISTER",
    "SHELTERED_WORK",
    "WARM_HANDOVER",
    "PROGRESS_UPDATE",
];
const CARE: [&str; 4] = ["REINTEGRATION", "PLAN_ALIGNMENT", "JOB_COACHING", "PROGRESS_UPDATE"];
const RECEIVING_CARE: [&str; 3] = ["PLAN_ALIGNMENT", "JOB_COACHING", "PROGRESS_UPDATE"];
const ALL_GROUPS: [&str; 11] = ["WT", "PF", "SF", "FO", "DH", "SH", "VW", "AV", "RG", "MT", "TR"];
const CARE_GROUPS: [&str; 6] = ["WT", "PF", "SF", "FO", "VW", "TR"];

/// Source, requester, purposes, groups of fields.
type Agreed = (&'static Party, &'static Party, &'static [&'static str], &'static [&'static str]);

const AGREED: [Agreed; 14] = [
    (&UWV, &WATERRIJK, &TOWN, &ALL_GROUPS),
    (&UWV, &SLUISDAM, &TOWN, &ALL_GROUPS),
    (&UWV, &OEVERSTAD, &TOWN, &ALL_GROUPS),
    (&GGZ_KADE, &WATERRIJK, &CARE, &CARE_GROUPS),
    (&GGZ_KADE, &SLUISDAM, &CARE, &CARE_GROUPS),
    (&GGZ_VEER, &WATERRIJK, &CARE, &CARE_GROUPS),
    (&GGZ_VEER, &OEVERSTAD, &CARE, &CARE_GROUPS),
    (&GGZ_KADE, &UWV, &CARE, &CARE_GROUPS),
    (&GGZ_VEER, &UWV, &CARE, &CARE_GROUPS),
    (&WATERRIJK, &UWV, &TOWN, &ALL_GROUPS),
    (&UWV, &GGZ_KADE, &RECEIVING_CARE, &CARE_GROUPS),
    (&UWV, &GGZ_VEER, &RECEIVING_CARE, &CARE_GROUPS),
    (&WATERRIJK, &GGZ_KADE, &RECEIVING_CARE, &CARE_GROUPS),
    (&WATERRIJK, &GGZ_VEER, &RECEIVING_CARE, &CARE_GROUPS),
];

const AGREEMENTS_HEAD: &str = "\
# The agreements (convenanten) of the demo, all of them made up. Written by `cargo run --example generate_demo`; edit
# that instead. The last one has ended, and its requester has no other. They are not signed here, so this file does not
# load as it stands: signing keys differ per run, and the demo signs each agreement for both parties as it starts.
";

/// `agreements.toml`.
pub fn agreements() -> std::result::Result<String, std::fmt::Error> {
    let mut file = AGREEMENTS_HEAD.to_owned();
    for (agreed, number) in AGREED.iter().zip(1..) {
        agreement(&mut file, number, agreed, ["2026-01-01", "2028-12-31", "2028-06-30"])?;
    }
    let lapsed = (&UWV, &POLDERVEEN, &TOWN[..], &ALL_GROUPS[..]);
    agreement(&mut file, AGREED.len() + 1, &lapsed, ["2023-01-01", "2025-12-31", "2025-06-30"])?;
    Ok(file)
}

fn agreement(file: &mut String, number: usize, agreed: &Agreed, days: [&str; 3]) -> Result {
    let (source, requester, purposes, fields) = agreed;
    let [starts, ends, review] = days;
    let id = format!("AGR-{number:04}");
    let document = digest(&SHA256, format!("Demo agreement {id}").as_bytes());
    writeln!(file, "\n# {} answers {}\n[[agreement]]\nid = {id:?}", source.name, requester.name)?;
    writeln!(file, "region = {REGION:?}")?;
    writeln!(file, "source = {:?}\nrequester = {:?}", source.oin, requester.oin)?;
    writeln!(file, "purposes = {purposes:?}\nfields = {fields:?}")?;
    writeln!(file, "starts = {starts:?}\nends = {ends:?}\nreview = {review:?}")?;
    writeln!(file, "document_sha256 = {:?}", hex::encode(document))
}
