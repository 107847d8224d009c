//! P11: after erasure nothing leads from an entry to the client, and every proof still holds. Two officers order it; what
//! the database, its files and an export hold afterwards is looked through byte by byte.

use std::{fs, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sluis::{
    audit::{
        entry::NewEntry,
        erasure::Order,
        export::stored::{Openings, StoredExportFault, Witnessed, export, export_witnessed},
        leaf::Kind,
        officer,
        report::Report,
        verify::{VerifyOptions, verify_export},
        writer::Work,
    },
    consent::signing_key,
    domain::{
        Bsn, Clock as _,
        time::{ManualClock, SystemClock},
    },
    note::{Note, NoteSigner, VerifierKey},
    proto,
    storage::Look,
    subject::{KeyRing, Tag},
};
use tonic::{Code, Status};

use crate::{
    apart::files_in,
    database::on_postgres,
    lab::{BSN, Lab, question, reason},
    outside::Outside,
    promises::{BY_KADE, bsn},
};

const GROUND: &str = "avg-17-1-b";

async fn plan(lab: &Lab, short: &str, bsn: &str) -> Result<proto::PlanErasureResponse, Status> {
    let request = proto::PlanErasureRequest { bsn: bsn.to_owned(), ground: GROUND.to_owned() };
    lab.client(short).await.audit().plan_erasure(request).await.map(tonic::Response::into_inner)
}

/// Has an order carried out, with what came with its plan.
async fn erase(
    lab: &Lab,
    short: &str,
    bsn: &str,
    (order, planned): (&str, &proto::PlanErasureResponse),
) -> Result<proto::EraseResponse, Status> {
    let blinding = planned.blinding.clone();
    let request = proto::EraseRequest { bsn: bsn.to_owned(), order: order.to_owned(), blinding };
    lab.client(short).await.audit().erase(request).await.map(tonic::Response::into_inner)
}

fn officer(lab: &Lab, name: &str) -> NoteSigner {
    let path = lab.world.dir.join("signing").join(format!("{name}.pem"));
    NoteSigner::new(name, signing_key::read(&path).unwrap()).unwrap()
}

/// An order signed by these.
fn signed(order: &str, officers: &[NoteSigner]) -> String {
    let notes: Vec<_> = officers.iter().map(|officer| officer.sign(order).unwrap()).collect();
    let lines = notes.iter().map(|note| note.rsplit_once("\n\n").unwrap().1);
    format!("{order}\n{}", lines.collect::<String>())
}

fn both(lab: &Lab, order: &str) -> String {
    signed(order, &[officer(lab, "fg-1"), officer(lab, "fg-2")])
}

async fn withdraw(lab: &Lab, bsn: &str) {
    use proto::withdraw_consent_request::Selector;
    let selector = Some(Selector::EverythingOfBsn(bsn.to_owned()));
    lab.client("kade")
        .await
        .consent()
        .withdraw_consent(proto::WithdrawConsentRequest { selector })
        .await
        .unwrap();
}

async fn exported(lab: &Lab, name: &str) -> Report {
    let key: VerifierKey = lab.world.gateway.verifier_key.parse().unwrap();
    let openings = Openings { details: true, sealed: true };
    let store = lab.world.gateway.store.as_ref();
    export(store, &lab.path(name), std::slice::from_ref(&key), openings, |_, _| {}).await.unwrap();
    verify_export(&lab.path(name), &VerifyOptions { trust: Some(vec![key]), since: None, progress: None })
}

/// What leads to a client, as bytes: his tag, his wrapped keys, what was sealed for him, his grants and forms.
async fn leads(lab: &Lab) -> (Tag, Vec<Vec<u8>>) {
    let store = lab.world.gateway.store.as_ref();
    let keys = KeyRing::open(&lab.world.dir.join("data/keys")).unwrap();
    let tag = keys.index.tag(&Bsn::parse(BSN).unwrap());
    let subject = store.subject_of(&tag).await.unwrap().unwrap();
    let (seen, commit) = store.begin(&Look { tags: vec![tag], ..Look::default() }).await.unwrap();
    commit.abandon().await;
    let mut leads = vec![tag.bytes().to_vec()];
    leads.extend(seen.keys.into_iter().map(|key| key.wrapped));
    let traces = store.traces(subject).await.unwrap();
    leads.extend(traces.forms.iter().map(|form| form.bytes().to_vec()));
    leads.extend(traces.grants.iter().map(|grant| grant.id.bytes().to_vec()));
    for entry in store.entries(0, 10_000).await.unwrap() {
        if entry.subject == Some(subject) {
            let sealed = entry.sealed.unwrap();
            leads.extend([sealed.bytes, sealed.key_hash.to_vec()]);
        }
    }
    (tag, leads)
}

/// Each of these, as bytes and in the texts that they could stand in.
fn found_in(files: &[(String, Vec<u8>)], leads: &[Vec<u8>]) -> Vec<String> {
    let mut patterns = Vec::new();
    for lead in leads {
        patterns.extend([lead.clone(), STANDARD.encode(lead).into_bytes(), hex::encode(lead).into_bytes()]);
        if let Ok(id) = uuid::Uuid::from_slice(lead) {
            patterns.push(id.to_string().into_bytes());
        }
    }
    let finder = aho_corasick::AhoCorasick::new(patterns).unwrap();
    let found = files.iter().flat_map(|(name, bytes)| {
        finder.find_iter(bytes).map(move |found| format!("{name}: {:?}", found.pattern()))
    });
    found.collect()
}

/// What the keys of the gateway make of every test number, alone and with the number of each order in the log.
fn guesses(lab: &Lab, log: &[crate::lab::Entry]) -> Vec<Vec<u8>> {
    let keys = KeyRing::open(&lab.world.dir.join("data/keys")).unwrap();
    let orders = log.iter().filter_map(|entry| entry.facts.get("order")?.as_str());
    let orders: Vec<Order> =
        orders.map(|note| Note::parse(note).unwrap().unverified_text().parse().unwrap()).collect();
    assert!(orders.len() >= 2, "one that was refused, and one that was carried out");
    let numbers = (999_990_000..=999_999_999_u32).filter_map(|number| Bsn::parse(&number.to_string()).ok());
    let tags: Vec<_> = numbers.map(|bsn| keys.index.tag(&bsn)).collect();
    assert!(tags.contains(&keys.index.tag(&Bsn::parse(BSN).unwrap())));
    let of = |tag: &Tag| {
        let named = orders.iter().map(|order| keys.index.erasure_key(tag, &order.number).to_vec());
        named.chain([tag.bytes().to_vec()]).collect::<Vec<_>>()
    };
    tags.iter().flat_map(of).collect()
}

/// The database: as it lies on the disk, or all that a PostgreSQL gives.
async fn database(lab: &Lab, name: &str) -> Vec<(String, Vec<u8>)> {
    if on_postgres() {
        Outside::open(&lab.world.dir).await.dump(&lab.path(name)).await;
        return vec![(name.to_owned(), fs::read(lab.path(name)).unwrap())];
    }
    files_in(&lab.world.dir.join("data")).into_iter().filter(|(name, _)| name.contains("sluis.db")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn p11_after_erasure_nothing_leads_to_the_client_and_every_proof_holds() {
    let lab = Lab::start_with(|options| options.retention = "account_for_days = 0".to_owned()).await;
    lab.record_main().await;
    let given = lab.ask("waterrijk", question()).await.unwrap();
    let other = BY_KADE.record(&lab, &bsn(0)).await.unwrap();
    let receipt = given.receipt.clone().unwrap();

    // A consent that is not over stands in the way, and the plan says so.
    let planned = plan(&lab, "fg", BSN).await.unwrap();
    assert_eq!(planned.obstacles, ["ERASURE_CONSENT_NOT_OVER"]);
    assert!(planned.forms == 1 && planned.grants > 0 && planned.disclosures > 0 && planned.entries >= 3);
    let refused = erase(&lab, "fg", BSN, (&both(&lab, &planned.order), &planned)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "ERASURE_CONSENT_NOT_OVER".to_owned()));
    let tried = lab.log(0).await.pop().unwrap();
    assert_eq!((tried.kind.as_str(), &tried.facts["event"]), ("erasure", &"refused".into()));
    withdraw(&lab, BSN).await;

    let planned = plan(&lab, "fg", BSN).await.unwrap();
    assert!(planned.obstacles.is_empty() && planned.not_before.is_none());
    assert!(!planned.order.contains(BSN));
    let before = exported(&lab, "before").await;
    assert_eq!(before.exit_code(), 0, "{before}");
    let checkpoint = fs::read_to_string(lab.path("before").join("checkpoint")).unwrap();
    let (tag, leads) = leads(&lab).await;
    let subject = lab.world.gateway.store.subject_of(&tag).await.unwrap().unwrap();
    let found = found_in(&database(&lab, "dump-before").await, &leads);
    assert!(found.len() >= leads.len(), "the search finds what is there: {}", found.len());
    assert!(!found_in(&files_in(&lab.path("before")), &leads).is_empty());
    let size = lab.size().await;
    let erased = erase(&lab, "fg", BSN, (&both(&lab, &planned.order), &planned)).await.unwrap();
    assert_eq!(erased.position as usize, size);
    assert_eq!(erased.complete_on, planned.complete_on);

    // In the database.
    let store = lab.world.gateway.store.as_ref();
    assert_eq!(store.subject_of(&tag).await.unwrap(), None);
    let files = database(&lab, "dump-after").await;
    let found = found_in(&files, &leads);
    assert!(found.is_empty(), "{found:?}");
    // The random id that he had stands in one list for as long as a backup may bring back his keys; a page of that may be in the
    // write-ahead log too.
    let remembered = found_in(&files, &[subject.bytes().to_vec()]).len();
    assert!((1..=2).contains(&remembered), "{remembered}");
    let shown = lab.client("kade").await.consent();
    let list = proto::ListConsentsRequest { bsn: BSN.to_owned() };
    assert!({ shown }.list_consents(list).await.unwrap().into_inner().consents.is_empty());
    // In an export; every proof holds, the one that was kept from before and the receipt of the requester too.
    let after = exported(&lab, "after").await;
    assert_eq!((after.exit_code(), after.findings.as_slice()), (0, [].as_slice()));
    assert!(after.states.erased >= planned.entries, "{after}");
    let options = VerifyOptions { since: Some(checkpoint), ..VerifyOptions::default() };
    assert_eq!(verify_export(&lab.path("after"), &options).exit_code(), 0);
    let found = found_in(&files_in(&lab.path("after")), &leads);
    assert!(found.is_empty(), "{found:?}");
    let log = lab.log(0).await;
    let said = &log[size].facts;
    assert_eq!((&said["event"], said["signed_by"].as_array().unwrap().len()), (&"erased".into(), 2));
    assert!(said["pairs"].as_array().unwrap().len() as u64 <= planned.entries);
    assert_eq!(receipt.entries.len(), 2);
    // Whoever has all keys of the gateway and tries every number finds nobody.
    let tried = guesses(&lab, &log);
    let mut said: Vec<_> =
        log.iter().map(|entry| ("facts".to_owned(), entry.facts.to_string().into_bytes())).collect();
    said.extend(files_in(&lab.path("after")));
    let found = found_in(&said, &tried);
    assert!(found.is_empty(), "{found:?}");
    let found = found_in(&database(&lab, "dump-blinding").await, std::slice::from_ref(&planned.blinding));
    assert!(found.is_empty(), "{found:?}");

    // Who is left is left whole, and whoever was erased can be known again by a new form only.
    let list = proto::ListConsentsRequest { bsn: bsn(0) };
    let left = lab.client("kade").await.consent().list_consents(list).await.unwrap().into_inner();
    assert_eq!((left.consents.len(), &left.consents[0].form_id), (1, &other.form_id));
    let again = lab
        .client("kade")
        .await
        .consent()
        .record_consent(lab.sign("kade", sluis::demo::data::MAIN_FORM))
        .await;
    assert!(again.is_ok(), "a form of its own id is a new one");
    let late = erase(&lab, "fg", &bsn(5), (&both(&lab, &planned.order), &planned)).await.unwrap_err();
    assert_eq!(reason(&late).1, "ERASURE_ORDER_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn p11_an_order_takes_two_officers_of_this_gateway_about_this_client() {
    let lab = Lab::start().await;
    BY_KADE.record(&lab, &bsn(0)).await.unwrap();
    BY_KADE.record(&lab, &bsn(1)).await.unwrap();
    withdraw(&lab, &bsn(0)).await;
    let planned = plan(&lab, "fg", &bsn(0)).await.unwrap();
    let size = lab.size().await;
    let stranger = NoteSigner::from_pkcs8("fg-2", &NoteSigner::generate_pkcs8().unwrap()).unwrap();
    let (first, second) = (|| officer(&lab, "fg-1"), || officer(&lab, "fg-2"));
    let order = planned.order.as_str();
    let elsewhere = order.replace("\nlog test", "\nlog test.other");
    let long_ago = {
        let (head, _) = order.rsplit_once("drawn ").unwrap();
        format!("{head}drawn 2026-01-01T00:00:00.000Z\n")
    };
    for (who, about, note, code) in [
        ("fg", bsn(0), signed(order, &[first()]), "ERASURE_NEEDS_TWO"),
        ("fg", bsn(0), signed(order, &[first(), stranger]), "ERASURE_NEEDS_TWO"),
        ("fg", bsn(0), signed(order, &[first(), first()]), "ERASURE_ORDER_INVALID"),
        (
            "fg",
            bsn(0),
            signed(order, &[first(), second()]).replace("17-1-b", "17-1-d"),
            "ERASURE_ORDER_INVALID",
        ),
        ("fg", bsn(0), order.to_owned(), "ERASURE_ORDER_INVALID"),
        ("fg", bsn(0), String::new(), "ERASURE_ORDER_INVALID"),
        ("fg", bsn(1), signed(order, &[first(), second()]), "ERASURE_ORDER_INVALID"),
        ("fg", bsn(0), signed(&elsewhere, &[first(), second()]), "ERASURE_ORDER_INVALID"),
        ("fg", bsn(0), signed(&long_ago, &[first(), second()]), "ERASURE_ORDER_INVALID"),
        ("fg", "12".to_owned(), signed(order, &[first(), second()]), "BSN_MALFORMED"),
        ("waterrijk", bsn(0), signed(order, &[first(), second()]), "FUNCTION_NOT_HELD"),
        ("kade", bsn(0), signed(order, &[first(), second()]), "FUNCTION_NOT_HELD"),
    ] {
        let refused = erase(&lab, who, &about, (&note, &planned)).await.unwrap_err();
        assert_eq!(reason(&refused).1, code, "{who} {note}");
        let text = format!("{refused:?} {}", String::from_utf8_lossy(refused.details()));
        assert!(!text.contains(&bsn(0)), "{text}");
    }
    assert_eq!(reason(&plan(&lab, "waterrijk", &bsn(0)).await.unwrap_err()).1, "FUNCTION_NOT_HELD");
    assert_eq!(reason(&plan(&lab, "fg", &bsn(8)).await.unwrap_err()).1, "ERASURE_CLIENT_UNKNOWN");
    // Each attempt that was read is an entry, of which nothing is repeated that did not hold. Nothing was erased.
    lab.world.gateway.flush_counts().await.unwrap();
    let log = lab.log(size).await;
    let tried: Vec<_> = log.iter().filter(|entry| entry.kind == "erasure").collect();
    assert_eq!(tried.len(), 9);
    for entry in tried {
        assert_eq!(entry.facts["event"], "refused");
        assert!(entry.facts.get("order").is_none() && entry.facts["refusal"].is_string(), "{}", entry.facts);
    }
    // What was not taken up is counted, so that somebody who only tries is seen too.
    let [officer, requester, recorder] = ["fg", "waterrijk", "kade"].map(|short| lab.oin(short));
    assert_eq!(lab.turned_away().await, [(officer, 1), (requester, 2), (recorder, 1)].into());
    let others =
        |entry: &&crate::lab::Entry| !["erasure", "access", "turned_away"].contains(&entry.kind.as_str());
    assert_eq!(log.iter().filter(others).count(), 0);
    // Nor with another blinding than came with it: nobody can tell whom it names.
    for blinding in [vec![0; 32], vec![], planned.blinding[1..].to_vec()] {
        let other = proto::PlanErasureResponse { blinding, ..planned.clone() };
        let refused = erase(&lab, "fg", &bsn(0), (&both(&lab, order), &other)).await.unwrap_err();
        assert_eq!(reason(&refused).1, "ERASURE_ORDER_INVALID");
    }
    erase(&lab, "fg", &bsn(0), (&both(&lab, order), &planned)).await.unwrap();
    let twice = erase(&lab, "fg", &bsn(0), (&both(&lab, order), &planned)).await.unwrap_err();
    assert_eq!(reason(&twice).1, "ERASURE_ORDER_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn p11_what_left_is_accounted_for_first() {
    let lab = Lab::start().await;
    lab.record_main().await;
    lab.ask("waterrijk", question()).await.unwrap();
    withdraw(&lab, BSN).await;
    let planned = plan(&lab, "fg", BSN).await.unwrap();
    assert_eq!(planned.obstacles, ["ERASURE_TERM_RUNS"]);
    let days = (planned.not_before.unwrap().seconds - planned.complete_on.unwrap().seconds) / 86_400;
    assert!((1796..=1798).contains(&days), "five years, less the thirty days of backups: {days}");
    let refused = erase(&lab, "fg", BSN, (&both(&lab, &planned.order), &planned)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "ERASURE_TERM_RUNS".to_owned()));
    let tried = lab.log(0).await.pop().unwrap();
    assert_eq!((tried.kind.as_str(), &tried.facts["refusal"]), ("erasure", &"ERASURE_TERM_RUNS".into()));
}

/// Day after day, by the gateway itself: an entry, and nothing that was there before it is to be read any more.
#[tokio::test(flavor = "multi_thread")]
async fn p11_a_gateway_forgets_what_has_a_term_that_is_over() {
    const DAY: i64 = 24 * 3_600_000;
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let lab = Lab::start_with(|options| {
        options.clock = Arc::clone(&clock) as _;
        options.retention = "account_for_days = 0\nexchanges_days = 1\nlooks_days = 3".to_owned();
    })
    .await;
    lab.record_main().await;
    lab.ask("waterrijk", question()).await.unwrap();
    let store = lab.world.gateway.store.as_ref();
    let gone = async |kind: &str| {
        let entries = store.entries(0, 10_000).await.unwrap();
        let of_kind = |entry: &&sluis::storage::StoredEntry| officer::kind(entry).unwrap().as_str() == kind;
        let (gone, kept): (Vec<_>, Vec<_>) =
            entries.iter().filter(of_kind).partition(|entry| entry.facts.is_none() && entry.sealed.is_none());
        (gone.len(), kept.len())
    };
    lab.world.gateway.forget().await.unwrap();
    assert_eq!((gone("request").await, gone("erasure").await), ((0, 1), (0, 0)), "nothing is over");
    clock.set(SystemClock.now().plus_millis(2 * DAY));
    lab.world.gateway.forget().await.unwrap();
    // A second look on the same day finds it done.
    lab.world.gateway.forget().await.unwrap();
    assert_eq!((gone("request").await, gone("outcome").await), ((1, 0), (1, 0)));
    assert_eq!((gone("consent").await.0, gone("access").await.0), (0, 0), "their terms are longer");
    assert_eq!(gone("erasure").await, (0, 1));
    let said = lab.log(0).await.into_iter().find(|entry| entry.kind == "erasure").unwrap();
    assert_eq!(said.facts["event"], "retention");
    let report = exported(&lab, "forgotten").await;
    assert_eq!((report.exit_code(), report.states.expired), (0, 2), "{report}");
    // The consent is there, and what is asked under it is answered.
    assert!(!lab.ask("waterrijk", question()).await.unwrap().disclosures.is_empty());
}

/// In a log of a month, of which nothing else is over: no entry, and no trace of who was erased.
#[tokio::test(flavor = "multi_thread")]
async fn p11_a_gateway_forgets_who_was_erased_in_time() {
    const DAY: i64 = 24 * 3_600_000;
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let lab = Lab::start_with(|options| options.clock = Arc::clone(&clock) as _).await;
    BY_KADE.record(&lab, &bsn(0)).await.unwrap();
    withdraw(&lab, &bsn(0)).await;
    let gateway = &lab.world.gateway;
    let keys = KeyRing::open(&lab.world.dir.join("data/keys")).unwrap();
    let client = keys.index.tag(&Bsn::parse(&bsn(0)).unwrap());
    let subject = gateway.store.subject_of(&client).await.unwrap().unwrap();
    // As by a gateway that ends before it has seen to free pages.
    let entry = NewEntry::of_gateway(Kind::Erasure, serde_json::json!({ "event": "erased" }));
    let work = Work::Erase { entry, client, claim: [7; 32], disclosed_since: clock.now() };
    gateway.log.commit(work).await.unwrap();
    assert!(gateway.store.is_scrub_due().await.unwrap());
    gateway.forget().await.unwrap();
    assert!(!gateway.store.is_scrub_due().await.unwrap());
    let remembered =
        async |name: &str| found_in(&database(&lab, name).await, &[subject.bytes().to_vec()]).len();
    assert!(remembered("dump-erased").await > 0);
    let size = lab.size().await;
    clock.set(SystemClock.now().plus_millis(39 * DAY));
    gateway.forget().await.unwrap();
    assert_eq!(remembered("dump-later").await, 0);
    assert_eq!(lab.size().await, size);
}

/// An export that ends before the entry which accounts for what was erased would look like a theft.
#[tokio::test(flavor = "multi_thread")]
async fn p11_an_export_up_to_an_older_checkpoint_is_refused_after_an_erasure() {
    let lab = Lab::start().await;
    BY_KADE.record(&lab, &bsn(0)).await.unwrap();
    withdraw(&lab, &bsn(0)).await;
    let store = lab.world.gateway.store.as_ref();
    let older = store.head().await.unwrap().unwrap().checkpoint;
    let key: VerifierKey = lab.world.gateway.verifier_key.parse().unwrap();
    let up_to = async |name: &str| {
        let witnessed = Witnessed { checkpoint: Some(older.clone()), ..Witnessed::default() };
        let keys = std::slice::from_ref(&key);
        export_witnessed(store, &lab.path(name), keys, Openings::default(), witnessed, |_, _| {}).await
    };
    up_to("before").await.unwrap();
    let planned = plan(&lab, "fg", &bsn(0)).await.unwrap();
    erase(&lab, "fg", &bsn(0), (&both(&lab, &planned.order), &planned)).await.unwrap();
    let refused = up_to("after").await.unwrap_err();
    assert!(matches!(refused, StoredExportFault::ForgottenMeanwhile), "{refused}");
    assert!(!lab.path("after").join("checkpoint").exists());
}
