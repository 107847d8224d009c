//! Where fuzzing starts from: well-formed inputs of each target, made of the catalogue and of made-up parties.

use prost::Message as _;
use serde_json::{Value, json};

use crate::{
    catalogue::{self, CheckedStatement, Field, Mask, example, groups},
    domain::Day,
    proto::{
        Declined, GetStatementResponse, Necessity, RequestWorkCapacityRequest, WorkCapacity,
        get_statement_response::Result as Answer,
    },
};

const TODAY: Day = time::macros::date!(2026 - 11 - 27);
const UWV: &str = "00000099000003002000";
const MUNICIPALITY: &str = "00000099000002001000";
const SHA256: &str = "a58ece5e97eca3f018258baf41e464442fd658b47cfd80de6e0c7be30f3bcc3f";
const ID: &str = "5f0c8f1e-3c54-4a53-9a52-6f7cf8b0b2a1";

/// Seeds of a target, which it lets in, all but a few; none for an unknown name.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "statement" => statements(),
        "mask" => masks(),
        "request" => requests(),
        "form" => {
            let fhir = crate::consent::fhir::export_draft(&fhir_draft())
                .map(|(bundle, _)| bundle)
                .unwrap_or_default();
            let all = [draft(), form_record(), grant(), reconfirmation(), fhir];
            all.iter().filter_map(canonical).collect()
        }
        "import" => imports(),
        _ => Vec::new(),
    }
}

/// The examples of docs/import.md, after the byte that chooses their format.
fn imports() -> Vec<Vec<u8>> {
    let files = [
        &include_bytes!("../../docs/examples/import/werkzoekenden.json")[..],
        include_bytes!("../../docs/examples/import/fml.csv"),
        include_bytes!("../../docs/examples/import/ggm.csv"),
    ];
    (0..).zip(files).map(|(choice, file)| [&[choice], file].concat()).collect()
}

/// Everything at once, each group by itself, and a few fields of several; and a source that declines.
fn statements() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut answer = |choice: u8, result: Answer| {
        let message = GetStatementResponse { result: Some(result) };
        seeds.push([vec![choice], message.encode_to_vec()].concat());
    };
    let part = |turn: usize, mask: Mask| -> WorkCapacity {
        let turn = u32::try_from(turn).unwrap_or_default();
        CheckedStatement::new(example::full(turn), TODAY)
            .unwrap_or_else(|_| CheckedStatement::empty())
            .build(mask)
    };
    answer(0xff, Answer::WorkCapacity(part(1, Mask::all())));
    answer(0x55, Answer::WorkCapacity(part(2, Mask::all())));
    for (turn, group) in groups().iter().enumerate() {
        answer(0xff, Answer::WorkCapacity(part(turn, group.mask())));
    }
    let every = |nth: usize| -> Mask {
        let fields = Mask::all().iter().enumerate();
        fields.filter(|(at, _)| at % 16 == nth).map(|(_, field)| field).collect()
    };
    for nth in 0..16 {
        answer(if nth % 2 == 0 { 0xff } else { 0x0f }, Answer::WorkCapacity(part(nth, every(nth))));
    }
    answer(0xff, Answer::Declined(Declined {}));
    seeds
}

fn masks() -> Vec<Vec<u8>> {
    let paths = catalogue::to_paths(Mask::all()).join("\n");
    let codes = catalogue::codes(Mask::all()).join("\n");
    let names: Vec<&str> = groups().iter().map(|group| group.name).collect();
    let some: Vec<&str> = Mask::all().iter().take(3).map(|field| field.entry().path).collect();
    let mixed = [some.as_slice(), names.get(..2).unwrap_or_default()].concat().join("\n");
    [paths, codes, names.join("\n"), some.join("\n"), mixed, "WT-01\nWT-02".to_owned()]
        .map(String::into_bytes)
        .into()
}

fn requests() -> Vec<Vec<u8>> {
    let request = |paths: Vec<String>, case_id: &str| RequestWorkCapacityRequest {
        request_id: ID.to_owned(),
        bsn: "999990019".to_owned(),
        purpose: "PLAN_ALIGNMENT".to_owned(),
        role: "gem.klantmanager".to_owned(),
        user_id: ID.to_owned(),
        fields: Some(prost_types::FieldMask { paths }),
        necessity: Necessity::ClientCannotState.into(),
        case_id: case_id.to_owned(),
        validate_only: !case_id.is_empty(),
    };
    let few = Mask::EMPTY.with(Field::Wt02).with(Field::Wt08);
    let names = groups().iter().map(|group| group.name.to_owned()).collect();
    [request(catalogue::to_paths(few), ""), request(names, ID)].map(|seed| seed.encode_to_vec()).into()
}

fn canonical(value: &Value) -> Option<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).ok()
}

/// A form before it is signed.
pub(super) fn draft() -> Value {
    json!({
        "bsn": "999990019",
        "recorder": UWV,
        "form_number": 1,
        "form_version": 3,
        "signed_on": "today-5",
        "custodian": UWV,
        "media_type": "application/pdf",
        "size": 48211,
        "sha256": SHA256,
        "explanation": {
            "text_version": 2, "language": "nl", "reading_level": "B1", "explained_by": "ggz.trajectbegeleider",
            "explained_on": "2026-11-20",
        },
        "collection": {
            "context": "GUIDANCE_TALK", "method": "WET_INK", "alternative": "CLIENT_TELLS_HIMSELF",
            "withdrawal": ["IN_PERSON", "LETTER"], "verified_by": "ggz.trajectbegeleider", "verified_on": "today-5",
        },
        "grantor": { "kind": "CLIENT", "client_age": "ADULT" },
        "refusals": [{ "recipient": MUNICIPALITY, "purpose": "WAGE_VALUE", "source": UWV }],
        "grants": [{
            "recipient": UWV,
            "role": "ggz.trajectbegeleider",
            "purpose": "PLAN_ALIGNMENT",
            "source": MUNICIPALITY,
            "fields": ["WT-04", "WT-08"],
            "sensitive": ["WT-08"],
            "excluded": ["VW-04"],
            "uses": 1,
            "valid_from": "today",
            "valid_until": "today+96",
        }],
    })
}

/// Payload of a signed record.
pub(super) fn form_record() -> Value {
    json!({
        "v": 2,
        "typ": "sluis.form",
        "consent_type": "EXPLICIT_WRITTEN_SIGNED",
        "form_id": ID,
        "recorder": UWV,
        "evidence": {
            "form_number": 1,
            "form_version": 3,
            "signed_on": "2026-11-22",
            "custodian": UWV,
            "media_type": "application/pdf",
            "size": 48211,
            "sha256": SHA256,
        },
        "explanation": {
            "text_version": 2, "language": "nl", "reading_level": "B1", "explained_by": "ggz.trajectbegeleider",
            "explained_on": "2026-11-20",
        },
        "collection": {
            "context": "GUIDANCE_TALK",
            "method": "WET_INK",
            "refusal_without_consequence": true,
            "alternative": "CLIENT_TELLS_HIMSELF",
            "withdrawal": ["IN_PERSON", "LETTER"],
            "verified_by": "ggz.trajectbegeleider",
            "verified_on": "2026-11-22",
        },
        "grantor": {
            "kind": "MENTOR", "client_age": "ADULT", "evidence_sha256": SHA256, "from": "2026-01-01",
            "until": "2027-06-01",
        },
        "grants": [{ "grant_id": ID, "sha256": SHA256 }],
        "refusals": [{ "recipient": MUNICIPALITY, "purpose": "WAGE_VALUE", "source": UWV }],
    })
}

/// The draft with days that stand still, as FHIR has them.
fn fhir_draft() -> Value {
    let days = [("today-5", "2026-11-22"), ("today+96", "2027-03-01"), ("today", "2026-11-22")];
    let still = days.iter().fold(draft().to_string(), |text, (moving, day)| text.replace(moving, day));
    serde_json::from_str(&still).unwrap_or_default()
}

/// Payload of a reconfirmation.
fn reconfirmation() -> Value {
    json!({
        "v": 2,
        "typ": "sluis.reconfirmation",
        "form_id": ID,
        "recorder": UWV,
        "context": "THREE_WAY_TALK",
        "confirmed_on": "2026-11-24",
        "confirmed_with": "ggz.trajectbegeleider",
    })
}

/// Payload of a grant.
pub(super) fn grant() -> Value {
    json!({
        "v": 2,
        "typ": "sluis.grant",
        "grant_id": ID,
        "form_id": ID,
        "recorder": UWV,
        "signed_on": "2026-11-22",
        "evidence_sha256": SHA256,
        "person": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
        "recipient": UWV,
        "role": "ggz.trajectbegeleider",
        "purpose": "PLAN_ALIGNMENT",
        "source": MUNICIPALITY,
        "fields": ["WT-04", "WT-08"],
        "sensitive": ["WT-08"],
        "excluded": ["VW-04"],
        "given_by": "MENTOR",
        "context": "GUIDANCE_TALK",
        "uses": 3,
        "renews": ID,
        "valid_from": "2026-11-22",
        "valid_until": "2027-03-01",
    })
}
