//! Consent forms, not yet signed, as `sluis consent record` takes them. Days are relative to the day of recording, so
//! that they hold whenever the demo runs.

use std::{collections::BTreeMap, error::Error};

use ring::digest::{SHA256, digest};
use serde::Serialize;
use sluis::catalogue::{self, Field, Mask, Sensitivity};

use super::{
    clients::Client,
    parties::{OEVERSTAD, POLDERVEEN, Party, UWV, WATERRIJK},
    pretty,
    random::Random,
    statements::Held,
};

#[derive(Serialize)]
struct Form<'a> {
    bsn: &'a str,
    recorder: &'static str,
    form_number: u32,
    form_version: u32,
    signed_on: String,
    custodian: &'static str,
    media_type: &'static str,
    size: u32,
    sha256: String,
    explanation: Explanation,
    collection: Collection,
    grantor: Grantor,
    grants: Vec<GrantText>,
}

#[derive(Serialize)]
struct Explanation {
    text_version: u32,
    language: &'static str,
    reading_level: &'static str,
    explained_by: &'static str,
    explained_on: String,
}

#[derive(Serialize)]
struct Collection {
    context: &'static str,
    method: &'static str,
    alternative: &'static str,
    withdrawal: &'static [&'static str],
    verified_by: &'static str,
    verified_on: String,
}

#[derive(Serialize)]
struct Grantor {
    kind: &'static str,
    client_age: &'static str,
}

/// The client himself, a grown-up.
const HIMSELF: Grantor = Grantor { kind: "CLIENT", client_age: "ADULT" };
/// Every way there is.
const WAYS: &[&str] = &["IN_PERSON", "LETTER", "PHONE", "PORTAL"];

#[derive(Serialize)]
struct GrantText {
    recipient: &'static str,
    role: &'static str,
    purpose: &'static str,
    source: &'static str,
    fields: Vec<&'static str>,
    sensitive: Vec<&'static str>,
    valid_from: String,
    valid_until: String,
}

/// A kind of consent: who receives what for which purpose, and from whom.
struct Plan {
    recorder: &'static Party,
    recipient: &'static Party,
    role: &'static str,
    purpose: &'static str,
    sources: Vec<&'static Party>,
}

/// The most that a grant for the purpose may name (R07), as far as such a source has something to say about it. The
/// sets for sheltered work are in none of them.
fn ceiling(purpose: &str, source: &Party) -> Mask {
    let within = |groups: &[&str]| -> Mask {
        Mask::all()
            .iter()
            .filter(|field| {
                let entry = field.entry();
                entry.field_set != "VW_SHELTERED" && groups.iter().any(|group| entry.code.starts_with(group))
            })
            .collect()
    };
    match purpose {
        "REINTEGRATION" | "PLAN_ALIGNMENT" | "JOB_COACHING" if source.kind == "ggz" => within(&["VW", "TR"]),
        "REINTEGRATION" => within(&["WT", "VW", "AV", "TR"]),
        "PLAN_ALIGNMENT" | "JOB_COACHING" => within(&["WT", "VW", "TR"]),
        "JOB_PLACEMENT" => within(&["WT", "VW-01", "VW-02", "VW-03"]),
        _ => Mask::EMPTY,
    }
}

fn plan(client: &Client, second: bool) -> Plan {
    let (town, ggz) = (client.town, client.ggz);
    let plan =
        |recorder, recipient, role, purpose, sources| Plan { recorder, recipient, role, purpose, sources };
    match client.number {
        // His municipality's only agreement has lapsed.
        20 => plan(&POLDERVEEN, &POLDERVEEN, "gem.klantmanager", "REINTEGRATION", vec![&UWV]),
        // The role for which he consented has ended at his municipality.
        21 => plan(town, town, "gem.jobcoach", "JOB_COACHING", vec![&UWV]),
        37.. => plan(&UWV, town, "gem.klantmanager", "REINTEGRATION", vec![&UWV]),
        number if second || number % 5 == 2 => {
            plan(ggz, ggz, "ggz.trajectbegeleider", "PLAN_ALIGNMENT", also_town(client, vec![&UWV]))
        }
        number if number % 5 == 3 => {
            plan(&UWV, &UWV, "uwv.adviseur", "REINTEGRATION", also_town(client, vec![ggz]))
        }
        number if number % 5 == 4 && town == &WATERRIJK => {
            plan(town, town, "gem.jobcoach", "JOB_COACHING", vec![&UWV, ggz])
        }
        number if number % 5 == 0 && town == &OEVERSTAD => {
            plan(town, town, "gem.accounthouder", "JOB_PLACEMENT", vec![&UWV])
        }
        _ => plan(ggz, town, "gem.klantmanager", "REINTEGRATION", vec![&UWV, ggz]),
    }
}

/// His municipality too, where it is a source and holds something.
fn also_town(client: &Client, mut sources: Vec<&'static Party>) -> Vec<&'static Party> {
    if client.town == &WATERRIJK {
        sources.push(&WATERRIJK);
    }
    sources
}

fn own_role(party: &Party) -> &'static str {
    match party.kind {
        "gemeente" => "gem.klantmanager",
        "uwv" => "uwv.adviseur",
        _ => "ggz.trajectbegeleider",
    }
}

fn sensitive(fields: Mask) -> Vec<&'static str> {
    let revealing = |field: &Field| field.entry().sensitivity == Sensitivity::S2;
    catalogue::codes(fields.iter().filter(revealing).collect())
}

/// `forms/<name>.json`.
pub fn draw(clients: &[Client], held: &Held) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let mut files = BTreeMap::new();
    for client in clients {
        match client.number {
            1 => drop(files.insert("main".to_owned(), pretty(&main_form(client)?)?)),
            2..=24 | 37.. => {
                let form = form(client, held, false);
                files.insert(format!("client-{:02}", client.number), pretty(&form)?);
            }
            // The gateway has never heard of the others.
            _ => {}
        }
        if matches!(client.number, 4 | 8) {
            let form = form(client, held, true);
            files.insert(format!("client-{:02}-second", client.number), pretty(&form)?);
        }
    }
    Ok(files)
}

fn form<'a>(client: &'a Client, held: &Held, second: bool) -> Form<'a> {
    let mut random = Random::of(if second { "second form" } else { "form" }, client.number);
    let plan = plan(client, second);
    let signed = random.number(5, 40);
    // Signed now, in force later: nothing is released under it yet.
    let from = if client.number == 22 { "today+30".to_owned() } else { format!("today-{signed}") };
    let until = format!("today+{}", random.number(90, 300));
    let mut grants = Vec::new();
    for source in &plan.sources {
        let holds = held.get(&(source.oin, client.number)).map_or(Mask::EMPTY, |holding| holding.present);
        let fields = fields(&mut random, holds, ceiling(plan.purpose, source));
        grants.push(GrantText {
            recipient: plan.recipient.oin,
            role: plan.role,
            purpose: plan.purpose,
            source: source.oin,
            fields: catalogue::codes(fields),
            sensitive: sensitive(fields),
            valid_from: from.clone(),
            valid_until: until.clone(),
        });
    }
    let three_way = random.chance(30);
    Form {
        bsn: &client.bsn,
        recorder: plan.recorder.oin,
        form_number: 1,
        form_version: 3,
        signed_on: format!("today-{signed}"),
        custodian: plan.recorder.oin,
        media_type: "application/pdf",
        size: 48_211,
        sha256: evidence(client, second),
        explanation: Explanation {
            text_version: 2,
            language: "nl",
            reading_level: "B1",
            explained_by: own_role(plan.recorder),
            explained_on: format!("today-{}", signed + random.number(0, 7)),
        },
        collection: Collection {
            context: if three_way { "THREE_WAY_TALK" } else { "GUIDANCE_TALK" },
            method: if random.chance(60) { "WET_INK" } else { "E_FORM_DIGID" },
            alternative: if random.chance(50) { "CLIENT_TELLS_HIMSELF" } else { "THREE_WAY_TALK" },
            withdrawal: WAYS,
            verified_by: own_role(plan.recorder),
            verified_on: format!("today-{signed}"),
        },
        grantor: HIMSELF,
        grants,
    }
}

/// Most of what is held and may be named, and now and then something that is not held.
fn fields(random: &mut Random, held: Mask, ceiling: Mask) -> Mask {
    let drawn: Mask = ceiling
        .iter()
        .filter(|field| {
            let revealing = field.entry().sensitivity == Sensitivity::S2;
            random.chance(if revealing {
                30
            } else if held.has(*field) {
                75
            } else {
                5
            })
        })
        .collect();
    // A grant always names something.
    if drawn.is_empty() { held.and(ceiling).iter().chain(ceiling.iter()).take(1).collect() } else { drawn }
}

/// Stands for the scan that the custodian keeps.
fn evidence(client: &Client, second: bool) -> String {
    let text = format!("Demo form of client {:02}{}", client.number, if second { ", second" } else { "" });
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// The main character asked his employment specialist himself.
fn main_form(client: &Client) -> Result<Form<'_>, Box<dyn Error>> {
    let grant = |source: &'static Party, codes: &[&str]| {
        let fields =
            catalogue::from_codes(codes).map_err(|_| "a field of the main form is not in the catalogue")?;
        Ok::<_, &str>(GrantText {
            recipient: client.town.oin,
            role: "gem.klantmanager",
            purpose: "REINTEGRATION",
            source: source.oin,
            fields: catalogue::codes(fields),
            sensitive: sensitive(fields),
            valid_from: "today-14".to_owned(),
            valid_until: "today+300".to_owned(),
        })
    };
    let at_uwv = ["WT-01", "WT-02", "WT-03", "WT-12", "WT-13", "AV-01", "AV-02", "AV-03", "AV-04", "AV-06"];
    let at_ggz = [
        "VW-02", "VW-04", "VW-05", "VW-07", "VW-08", "VW-14", "VW-15", "TR-01", "TR-03", "TR-04", "TR-06",
        "TR-10",
    ];
    Ok(Form {
        bsn: &client.bsn,
        recorder: client.ggz.oin,
        form_number: 1,
        form_version: 3,
        signed_on: "today-14".to_owned(),
        custodian: client.ggz.oin,
        media_type: "application/pdf",
        size: 48_211,
        sha256: evidence(client, false),
        explanation: Explanation {
            text_version: 2,
            language: "nl",
            reading_level: "B1",
            explained_by: own_role(client.ggz),
            explained_on: "today-14".to_owned(),
        },
        collection: Collection {
            context: "CLIENT_INITIATIVE",
            method: "WET_INK",
            alternative: "CLIENT_TELLS_HIMSELF",
            withdrawal: WAYS,
            verified_by: own_role(client.ggz),
            verified_on: "today-14".to_owned(),
        },
        grantor: HIMSELF,
        grants: vec![grant(&UWV, &at_uwv)?, grant(client.ggz, &at_ggz)?],
    })
}
