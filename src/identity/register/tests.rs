mod renewals;
mod signatures;

use std::sync::LazyLock;

use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::{sign::sign_missing, *};
use crate::{
    catalogue::from_codes,
    domain::{Day, OrganisationKind, Role, time::parse_day},
};

const GGZ: &str = "00000099000000003000";
const GEMEENTE: &str = "00000099000000004000";

const PARTICIPANTS: &str = r#"
[[organisation]]
oin = "00000099000000001000"
name = "Sluis TEST"
kind = "gateway"
functions = ["officer"]
contact = { role = "functionaris gegevensbescherming", phone = "030 000 00 01" }
complaint = "klachten@sluis.test"

[[organisation]]
oin = "00000099000000003000"
name = "GGZ-instelling TEST"
kind = "ggz"
functions = ["source", "recorder", "officer"]
contact = { role = "trajectbegeleiding", phone = "+31 30 000 00 03" }
complaint = "https://ggz.sluis.test/klachten"
endpoint = { url = "https://ggz.sluis.test:7443" }

[[organisation.signing_key]]
kid = "ggz-2026"
public = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"
from = 2026-01-01

[[organisation]]
oin = "00000099000000004000"
name = "Gemeente TEST"
kind = "gemeente"
functions = ["requester"]
contact = { role = "teamleider werk", phone = "030 000 00 04" }
complaint = "klachten@gemeente.test"

[[organisation.role]]
role = "gem.klantmanager"
until = 2027-01-01

[[organisation.role]]
role = "gem.jobcoach"

[[organisation.signing_key]]
kid = "gem-2026"
public = "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"
from = 2026-01-01
"#;

const AGREEMENTS: &str = r#"
[[agreement]]
id = "ggz-gemeente"
region = "test.sluis.example/regio"
source = "00000099000000003000"
requester = "00000099000000004000"
purposes = ["REINTEGRATION", "JOB_COACHING"]
fields = ["WT", "AV-06"]
starts = 2026-01-01
ends = 2027-12-31
review = 2027-01-01
document_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"#;

const ORIGIN: &str = "test.sluis.example/regio";

/// The agreements, signed by both.
static SIGNED: LazyLock<String> = LazyLock::new(|| signed(PARTICIPANTS, AGREEMENTS));

/// The keys of the parties, by their seeds.
fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn named_key(kid: &str) -> Option<Ed25519KeyPair> {
    match kid {
        "ggz-2026" => Some(key(1)),
        "gem-2026" => Some(key(2)),
        _ => None,
    }
}

fn signed(participants: &str, agreements: &str) -> String {
    sign_missing(participants, agreements, ReadAs::Party(GatewayKind::Test), named_key).unwrap()
}

fn parse(participants: &str, agreements: &str) -> Result<Register, RegisterFaults> {
    Register::parse(participants, agreements, ReadAs::Gateway(ORIGIN))
}

/// The only fault after this change.
fn fault(from: &str, to: &str) -> String {
    assert!(PARTICIPANTS.contains(from) || SIGNED.contains(from), "{from}");
    let faults = parse(&PARTICIPANTS.replacen(from, to, 1), &SIGNED.replacen(from, to, 1)).expect_err(from);
    assert_eq!(faults.iter().count(), 1, "{from}: {faults}");
    faults.to_string()
}

fn day(text: &str) -> Day {
    parse_day(text).unwrap()
}

#[test]
fn reads_a_register() {
    let register = parse(PARTICIPANTS, &SIGNED).unwrap();
    assert_eq!(register.organisations().len(), 3);
    let ggz = register.organisation(&GGZ.parse().unwrap()).unwrap();
    assert_eq!(ggz.kind, OrganisationKind::Ggz);
    assert!(ggz.has(Function::Source) && !ggz.has(Function::Requester));
    assert_eq!(ggz.signing_keys[0].public, key(1).public_key().as_ref());
    assert!(!ggz.signing_keys[0].holds_on(day("2025-12-31")));
    assert_eq!(ggz.endpoint.as_ref().unwrap().url, "https://ggz.sluis.test:7443");
    let gemeente = register.organisation(&GEMEENTE.parse().unwrap()).unwrap();
    assert_eq!(gemeente.contact.role, "teamleider werk");
    assert!(register.organisation(&"00000099000000009000".parse().unwrap()).is_none());

    let found: Vec<_> = register.agreements(gemeente.oin).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].terms.source, ggz.oin);
    assert!(from_codes(&["WT-02", "AV-06"]).unwrap().is_subset_of(found[0].terms.fields));
    assert!(!from_codes(&["AV-06"]).unwrap().is_empty() && !found[0].terms.fields.is_empty());
    assert_eq!(register.agreements(ggz.oin).count(), 0, "found by requester, not by source");
}

#[test]
fn the_hash_is_over_both_files() {
    let hash =
        |participants: &str, agreements: &str| parse(participants, agreements).unwrap().hash().to_owned();
    let first = hash(PARTICIPANTS, &SIGNED);
    assert_eq!(first.len(), "sha256:".len() + 64);
    assert_ne!(first, hash(&format!("{PARTICIPANTS}# seen"), &SIGNED));
    assert_ne!(first, hash(PARTICIPANTS, &format!("{}# seen", *SIGNED)));
}

#[test]
fn r24_employers_cannot_be_written() {
    let text = fault("kind = \"gemeente\"", "kind = \"werkgever\"");
    assert!(text.contains("R24") && text.contains("`gemeente`, `uwv`, `ggz` or `gateway`"), "{text}");
}

#[test]
fn r32_roles_end_and_belong_to_their_kind() {
    let register = parse(PARTICIPANTS, &SIGNED).unwrap();
    let gemeente = register.organisation(&GEMEENTE.parse().unwrap()).unwrap();
    let grant = gemeente.role(Role::GemKlantmanager).unwrap();
    assert!(grant.holds_on(day("2027-01-01")) && !grant.holds_on(day("2027-01-02")));
    assert!(gemeente.role(Role::GemJobcoach).unwrap().holds_on(day("2100-01-01")));
    assert!(gemeente.role(Role::GemAccounthouder).is_none());
    assert!(fault("gem.jobcoach", "uwv.adviseur").contains("no role of an organisation of kind `gemeente`"));
    assert!(fault("gem.jobcoach", "gem.klantmanager").contains("more than once"));
    assert!(fault("gem.jobcoach", "gem.directeur").contains("closed list"));
    let unreadable = fault("until = 2027-01-01", "until = \"ooit\"");
    assert!(unreadable.contains("role.until"), "{unreadable}");
}

#[test]
fn p12_test_numbers_only_where_they_belong() {
    let production = ReadAs::Gateway("sluis.example/regio");
    let faults = Register::parse(PARTICIPANTS, &SIGNED, production).unwrap_err();
    assert_eq!(faults.iter().count(), 4, "three numbers and the region: {faults}");
    let real =
        |text: &str| text.replace("0000009900000000", "0000000300000000").replace("\"test.sluis", "\"sluis");
    // Signed anew: a signature for a test gateway is none for another.
    let (participants, agreements) = (real(PARTICIPANTS), real(AGREEMENTS));
    let kind = ReadAs::Party(GatewayKind::Production);
    let anew = sign_missing(&participants, &agreements, kind, named_key).unwrap();
    assert!(Register::parse(&participants, &anew, production).is_ok());
    let kept = Register::parse(&participants, &real(&SIGNED), production).unwrap_err();
    assert_eq!(kept.iter().count(), 2, "{kept}");
    assert!(kept.iter().all(|fault| fault.what.contains("is no signature of these terms")), "{kept}");
    assert_eq!(parse(&participants, &anew).unwrap_err().iter().count(), 4);
}

#[test]
fn each_function_has_what_it_needs() {
    for (from, to, what) in [
        ("endpoint = { url = \"https://ggz.sluis.test:7443\" }", "", "a source needs an endpoint"),
        ("https://ggz.sluis.test:7443", "http://ggz.sluis.test:7443", "must read `https://host:port`"),
        ("functions = [\"officer\"]", "functions = [\"officer\", \"requester\"]", "a requester needs a role"),
        ("functions = [\"officer\"]", "functions = []", "`functions` needs at least one"),
        ("functions = [\"officer\"]", "functions = [\"admin\"]", "has `admin`, which is none of"),
        ("iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w", "AQEB", "32 bytes"),
        ("from = 2026-01-01", "from = 2026-01-01\nuntil = 2025-01-01", "ends before it starts"),
        ("name = \"Gemeente TEST\"", "name = \"\"", "`name` must be"),
        ("030 000 00 04", "bel maar", "telephone number"),
        ("00000099000000001000", "0000009900000000100", "an OIN has 20 positions"),
        ("complaint", "klachten", "unknown field `klachten`"),
    ] {
        // Some changes have more than one consequence; the one that is meant must be named.
        let faults = parse(&PARTICIPANTS.replacen(from, to, 1), &SIGNED).expect_err(from).to_string();
        assert!(faults.contains(what), "{from}: {faults}");
    }
}

#[test]
fn r17_agreements_hold_together() {
    for (from, to, what) in [
        ("\"REINTEGRATION\", \"JOB_COACHING\"", "", "`purposes` needs at least one"),
        ("JOB_COACHING", "FRAUD", "never served"),
        ("AV-06", "DX-01", "no code of a carried field or group"),
        ("\"WT\", \"AV-06\"", "", "`fields` needs at least one"),
        ("review = 2027-01-01", "review = 2028-01-01", "between `starts` and `ends`"),
        ("review = 2027-01-01", "review = 2025-01-01", "between `starts` and `ends`"),
        (
            "source = \"00000099000000003000\"",
            "source = \"00000099000000005000\"",
            "not among the participants",
        ),
        ("source = \"00000099000000003000\"", "source = \"00000099000000001000\"", "the function `source`"),
        ("e3b0c442", "E3B0C442", "SHA-256"),
        ("id = \"ggz-gemeente\"", "id = \"een naam\"", "`id` must be"),
    ] {
        let text = fault(from, to);
        assert!(text.starts_with("agreements: agreement 1 (") && text.contains(what), "{text}");
    }
    let twice = parse(PARTICIPANTS, &SIGNED.repeat(2)).unwrap_err().to_string();
    assert!(twice.contains("agreement 2 (ggz-gemeente): stands in the file more than once"), "{twice}");
}

#[test]
fn r19_an_agreement_that_is_not_reviewed_lapses() {
    let register = parse(PARTICIPANTS, &SIGNED).unwrap();
    let agreement = &register.all_agreements()[0];
    for (today, state) in [
        ("2025-12-31", AgreementState::NotYet),
        ("2026-01-01", AgreementState::Active),
        ("2026-11-01", AgreementState::Active),
        ("2026-11-02", AgreementState::ReviewDue),
        ("2027-01-01", AgreementState::ReviewDue),
        ("2027-01-02", AgreementState::Lapsed),
        ("2027-12-31", AgreementState::Lapsed),
        ("2028-01-01", AgreementState::Ended),
    ] {
        assert_eq!(agreement.state(day(today)), state, "{today}");
        assert_eq!(state.is_in_force(), ("2026-01-01"..="2027-01-01").contains(&today), "{today}");
    }
}

/// What a name says of those who go there must not be told by a register that everybody reads.
#[test]
fn names_that_tell_what_somebody_is_treated_for_are_refused() {
    for (from, to, item, key, detector) in [
        (
            "GGZ-instelling TEST",
            "Verslavingszorg Noord",
            "organisation 2 (00000099000000003000)",
            "name",
            "WORD_CARE",
        ),
        (
            "Gemeente TEST",
            "D e p r e s s i e Vereniging",
            "organisation 3 (00000099000000004000)",
            "name",
            "WORD_DISORDER",
        ),
        (
            "trajectbegeleiding",
            "behandelaar",
            "organisation 2 (00000099000000003000)",
            "contact.role",
            "WORD_CARER",
        ),
        (
            "klachten@gemeente.test",
            "autisme@gemeente.test",
            "organisation 3 (00000099000000004000)",
            "complaint",
            "WORD_DISORDER",
        ),
        ("ggz-2026", "F32.1", "organisation 2 (00000099000000003000)", "signing_key.kid", "ICD10"),
        ("ggz-gemeente", "schizofrenie-1", "agreement 1 (id withheld)", "id", "WORD_DISORDER"),
    ] {
        // A recorder whose key was refused has none; that is another fault.
        let faults = parse(&PARTICIPANTS.replacen(from, to, 1), &SIGNED.replacen(from, to, 1)).expect_err(to);
        let fault = faults.iter().next().unwrap();
        assert_eq!(fault.item, item, "{to}");
        assert!(fault.what.starts_with(&format!("`{key}` sets off the detector `{detector}`")), "{fault}");
        assert!(fault.what.contains("neutral trade name (neutrale handelsnaam)"), "{fault}");
        assert!(!faults.to_string().contains(to), "{faults}");
    }
}

#[test]
fn every_fault_is_named() {
    let participants = PARTICIPANTS
        .replace("kind = \"ggz\"", "kind = \"insurer\"")
        .replace("klachten@sluis.test", "")
        .replace("gem.jobcoach", "jobcoach");
    let agreements = SIGNED.replace("JOB_COACHING", "everything").replace("AV-06", "XX");
    let faults = parse(&participants, &agreements).unwrap_err();
    let items: Vec<_> = faults.iter().map(|fault| (fault.file, fault.item.as_str())).collect();
    assert_eq!(
        items,
        [
            (RegisterFile::Participants, "organisation 1 (00000099000000001000)"),
            (RegisterFile::Participants, "organisation 2 (00000099000000003000)"),
            (RegisterFile::Participants, "organisation 3 (00000099000000004000)"),
            (RegisterFile::Agreements, "agreement 1 (ggz-gemeente)"),
            (RegisterFile::Agreements, "agreement 1 (ggz-gemeente)"),
        ]
    );
}

#[test]
fn numbers_and_keys_are_unique() {
    let twice = PARTICIPANTS.replace("00000099000000001000", GEMEENTE);
    assert!(parse(&twice, &SIGNED).unwrap_err().to_string().contains("stands in the file more than once"));
    let key = "[[organisation.signing_key]]\nkid = \"ggz-2026\"\nfrom = '2026-01-01'\n\
               public = \"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\"\n";
    let twice = parse(&format!("{PARTICIPANTS}{key}"), &SIGNED).unwrap_err();
    assert!(twice.to_string().contains("the key `ggz-2026` stands in the file more than once"), "{twice}");
    // Two officers have two keys, whatever these are called.
    let officers = |second: [u8; 32]| {
        let key = |name, public| crate::note::VerifierKey::new(name, public).unwrap();
        let keys = format!("officer_key = [\"{}\", \"{}\"]\n", key("fg-1", [7; 32]), key("fg-2", second));
        parse(&PARTICIPANTS.replacen("complaint = ", &format!("{keys}complaint = "), 1), &SIGNED)
    };
    assert!(officers([8; 32]).is_ok());
    let fault = officers([7; 32]).unwrap_err().to_string();
    assert!(fault.contains("the key of `fg-2` stands in the file under another name"), "{fault}");
}

#[test]
fn missing_files_are_named_both() {
    let none = Path::new("/nonexistent/sluis.toml");
    let faults = Register::load(none, none, ReadAs::Gateway(ORIGIN)).unwrap_err();
    assert_eq!(faults.iter().count(), 2);
    assert!(faults.to_string().contains("/nonexistent/sluis.toml: cannot be read"), "{faults}");
}
