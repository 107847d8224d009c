//! P10: a policy is loaded only with a valid signature of its owners and a proof record for exactly these files, and is in
//! the log before it decides anything. R38: what was decided under it is decided again under it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::future::join_all;
use serde_json::Value;
use sluis::{
    app::{Gateway, PolicyChangeFault, StartFault},
    config::Settings,
    consent::signing_key,
    demo::owners,
    domain::{
        Clock as _,
        time::{ManualClock, SystemClock},
    },
    note::{NoteSigner, VerifierKey},
    policy::{
        History, PolicySet, draft,
        manifest::{self, ManifestFault, Owner},
        replay::PastDecision,
    },
    storage::DatabaseAddress,
};
use sqlx::Connection as _;
use tokio::net::TcpListener;
use tonic::Code;

use crate::{
    database::on_postgres,
    lab::{Entry, Lab, question, reason},
    promises::{copy, today},
    rules::DAY_MILLIS,
};

const REINTEGRATION: &str = "purposes/REINTEGRATION.cedar";

fn policies(lab: &Lab) -> PathBuf {
    lab.world.dir.join("policies")
}

fn edit(dir: &Path, file: &str, from: &str, to: &str) {
    let path = dir.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replace(from, to);
    assert_ne!(text, changed, "{file} has no `{from}`");
    fs::write(path, changed).unwrap();
}

/// The set that decides now.
fn in_force(lab: &Lab) -> PolicySet {
    PolicySet::of_the_past(lab.world.gateway.desks.exchange.rules.load().policies.files().clone()).unwrap()
}

/// The owners take `VW_DETAIL` out of REINTEGRATION, or put it back.
async fn change(lab: &Lab, out: bool) {
    let (with, without) = ("Sluis::FieldSet::\"VW_DETAIL\",", "");
    let anchor = "Sluis::FieldSet::\"VW_BASIC\",";
    let (from, to) = if out {
        (format!("{anchor} {with}"), format!("{anchor}{without}"))
    } else {
        (format!("{anchor} Sluis"), format!("{anchor} {with} Sluis"))
    };
    let before = in_force(lab);
    edit(&policies(lab), REINTEGRATION, &from, &to);
    owners::decide(&lab.world.dir, Some(&before), today()).await.unwrap();
}

fn of_kind<'a>(log: &'a [Entry], kind: &str) -> Vec<(usize, &'a Entry)> {
    log.iter().enumerate().filter(|(_, entry)| entry.kind == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn p10_the_log_is_begun_with_its_policies_and_names_them_before_they_decide() {
    let lab = Lab::start().await;
    lab.record_main().await;
    lab.ask("waterrijk", question()).await.unwrap();
    let log = lab.log(0).await;
    let rules = lab.world.gateway.desks.exchange.rules.load_full();
    let manifest = rules.policies.manifest();
    assert_eq!(log[0].facts["policies"], Value::from(manifest.hash()));
    let entered = of_kind(&log, "policy");
    assert_eq!(entered.len(), 1);
    let (position, entry) = entered[0];
    assert_eq!(entry.facts["manifest"], Value::from(manifest.note()));
    assert_eq!(entry.facts["hash"], Value::from(rules.policies.hash()));
    assert_eq!(entry.detail["files"].as_object().unwrap().len(), rules.policies.files().len());
    let (first, outcome) = of_kind(&log, "outcome")[0];
    assert!(position < of_kind(&log, "request")[0].0 && position < first);
    assert_eq!(outcome.facts["policy"], entry.facts["hash"]);
    // Nothing new, nothing to enter: not at a reload, and not at the next start.
    lab.world.gateway.reload().await.unwrap();
    assert_eq!(of_kind(&lab.log(0).await, "policy").len(), 1);
}

/// What is wrong with the folder of a gateway that was never started, by what was done to it.
#[tokio::test(flavor = "multi_thread")]
async fn p10_a_gateway_starts_with_proven_and_signed_policies_only() {
    let lab = Lab::start().await;
    let shipped = policies(&lab);
    let keys = lab.world.dir.join("owners");
    let stranger = lab.path("stranger.pem");
    let stranger_key = VerifierKey::new("voorbeeld-uwv", signing_key::create(&stranger).unwrap()).unwrap();
    let signer = NoteSigner::new("voorbeeld-uwv", signing_key::read(&stranger).unwrap()).unwrap();
    type Spoil<'a> = Box<dyn Fn(&Path) + 'a>;
    let remove = |file: &'static str| Box::new(move |dir: &Path| fs::remove_file(dir.join(file)).unwrap());
    let cases: Vec<(&str, &str, Spoil<'_>)> = vec![
        ("no manifest", "manifest.note: is not there", remove("manifest.note")),
        ("no proof", "proof.toml: is not there", remove("proof.toml")),
        (
            "a rule that was changed after it was signed",
            "was signed over another `purposes/REINTEGRATION.cedar`",
            Box::new(|dir| edit(dir, REINTEGRATION, "// ", "//  ")),
        ),
        (
            "a rule that was changed after it was proven",
            "proof.toml: is a proof of sha256:",
            Box::new(|dir| {
                edit(dir, REINTEGRATION, "// ", "//  ");
                owners::seal(dir, &keys, None).unwrap();
            }),
        ),
        (
            "a proof that leaves an invariant out",
            "does not prove `invariant/consent-in-force`",
            Box::new(|dir| {
                edit(dir, "proof.toml", "\"invariant/consent-in-force\", ", "");
                owners::seal(dir, &keys, None).unwrap();
            }),
        ),
        (
            "an invariant that was weakened",
            "invariants.cedar:8: `invariant/consent-in-force` is not what the program knows",
            Box::new(|dir| edit(dir, "invariants.cedar", "when { context.consent_in_force }", "")),
        ),
        (
            "an owner who has not signed",
            "is not signed by its owner `voorbeeld-ggz`",
            Box::new(|dir| {
                let path = dir.join("manifest.note");
                let text = fs::read_to_string(&path).unwrap();
                let lines = text.lines().filter(|line| !line.starts_with("\u{2014} voorbeeld-ggz "));
                fs::write(path, lines.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
            }),
        ),
        (
            "a signature by another key of the same name",
            "is not signed by its owner `voorbeeld-uwv`",
            Box::new(|dir| {
                let path = dir.join("manifest.note");
                let text = fs::read_to_string(&path).unwrap();
                fs::write(path, manifest::sign(&text, &signer).unwrap()).unwrap();
            }),
        ),
        (
            "an owner whom the manifest does not know",
            "names the owner `voorbeeldgemeente`, whom the manifest does not name",
            Box::new(|dir| {
                let owner = Owner { key: stranger_key.clone(), name: "Iemand".to_owned() };
                draft::draw_up(dir, Some(vec![owner])).unwrap();
                draft::sign(dir, &signer).unwrap();
            }),
        ),
        (
            "nothing at all",
            "schema.cedarschema: cannot be read",
            Box::new(|dir| fs::remove_dir_all(dir).unwrap()),
        ),
        ("an empty rule file", "lists `gem.klantmanager`, and no rule", {
            Box::new(|dir| fs::write(dir.join(REINTEGRATION), "").unwrap())
        }),
    ];
    for (what, told, spoil) in cases {
        let dir = lab.path(&what.replace(' ', "-"));
        copy(&shipped, &dir.join("policies"));
        spoil(&dir.join("policies"));
        let mut settings = Settings::load(&lab.world.dir.join("sluis.toml")).unwrap();
        settings.policies = dir.join("policies");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fault = Gateway::start_on(listener, settings, Arc::new(SystemClock)).await.map(drop).unwrap_err();
        assert!(matches!(fault, StartFault::Policy(_)), "{what}: {fault}");
        assert!(fault.to_string().contains(told), "{what}: {fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p10_a_change_takes_over_without_a_dropped_call_and_is_in_the_log_first() {
    let lab = Lab::start_with(|options| options.instances = if on_postgres() { 2 } else { 1 }).await;
    lab.record_main().await;
    let ask = || async {
        let mut question = question();
        question.fields = crate::lab::paths(&["working_hours.hours_per_week", "support.job_coach_needed"]);
        lab.ask("waterrijk", question).await
    };
    let old = in_force(&lab);
    change(&lab, true).await;
    let asking = join_all((0..20).map(|_| ask()));
    let reloading = async {
        for gateway in std::iter::once(&lab.world.gateway).chain(&lab.world.others) {
            gateway.reload().await.unwrap();
        }
    };
    let (answers, ()) = tokio::join!(asking, reloading);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(ask().await.is_ok());
    let new = in_force(&lab);
    assert_ne!(old.hash(), new.hash());

    let log = lab.log(0).await;
    let entered = of_kind(&log, "policy");
    assert_eq!(entered.len(), 2, "each set once, however many gateways took it");
    let change = &entered[1].1.facts["change"];
    assert!(change["wider"].as_array().unwrap().is_empty());
    let narrower: Vec<_> =
        change["narrower"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(narrower.contains(&"REINTEGRATION gem.klantmanager ggz VW_DETAIL"), "{narrower:?}");
    let outcomes = of_kind(&log, "outcome");
    for (position, outcome) in &outcomes {
        let hash = &outcome.facts["policy"];
        let ahead = entered.iter().any(|(entered, entry)| entered < position && entry.facts["hash"] == *hash);
        assert!(ahead, "entry {position} was decided under policies that the log did not know yet");
    }
    assert_eq!(outcomes.last().unwrap().1.facts["policy"], Value::from(new.hash()));

    // R38: each comes out again under the policies of its day; and the chain holds.
    let mut history = History::default();
    history.pin(log[0].facts["policies"].as_str().unwrap().to_owned());
    for (position, entry) in &entered {
        let detail = entry.detail.to_string();
        history.add(*position as u64, &entry.facts.to_string(), Some(&detail)).unwrap();
    }
    for (position, outcome) in outcomes {
        let (facts, detail) = (outcome.facts.to_string(), outcome.detail.to_string());
        let position = position as u64;
        let past = PastDecision::read(position, facts.as_bytes(), Some(detail.as_bytes())).unwrap().unwrap();
        let version = history.of(&past.policy, position).unwrap();
        assert_eq!(past.repeat(version.set.as_ref().unwrap()), []);
        assert!(past.against(version.set.as_ref().unwrap()).is_nothing());
    }
}

/// The fault of a reload, after which the old policies still decide.
async fn refused(lab: &Lab) -> StartFault {
    let before = in_force(lab);
    let entries = of_kind(&lab.log(0).await, "policy").len();
    let fault = lab.world.gateway.reload().await.unwrap_err();
    assert_eq!(in_force(lab).hash(), before.hash());
    assert_eq!(of_kind(&lab.log(0).await, "policy").len(), entries, "{fault}");
    assert!(lab.ask("waterrijk", question()).await.is_ok());
    fault
}

#[tokio::test(flavor = "multi_thread")]
async fn p10_r40_nobody_takes_over_alone() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let (dir, keys) = (policies(&lab), lab.world.dir.join("owners"));
    let kept = lab.path("kept");
    copy(&dir, &kept);
    let restore = || {
        fs::remove_dir_all(&dir).unwrap();
        copy(&kept, &dir);
    };

    // The same manifest with its signatures in another order takes nothing over, and stands in nobody's way.
    let note = fs::read_to_string(dir.join("manifest.note")).unwrap();
    let (text, lines) = note.rsplit_once("\n\n").unwrap();
    let turned: String = lines.lines().rev().map(|line| format!("{line}\n")).collect();
    fs::write(dir.join("manifest.note"), format!("{text}\n\n{turned}")).unwrap();
    lab.world.gateway.reload().await.unwrap();
    assert_eq!(of_kind(&lab.log(0).await, "policy").len(), 1);

    // Not proven anew, and not signed anew.
    edit(&dir, REINTEGRATION, "Sluis::FieldSet::\"VW_DETAIL\",", "");
    assert!(matches!(refused(&lab).await, StartFault::Policy(_)));

    // Proven and signed, and not compared with what is in force.
    owners::decide(&lab.world.dir, None, today()).await.unwrap();
    let fault = refused(&lab).await;
    assert!(matches!(fault, StartFault::PolicyChange(PolicyChangeFault::NotCompared { .. })), "{fault}");

    // The operator makes himself the owner of it all, with sound signatures of his own.
    restore();
    let own = lab.path("own");
    let usurpers = owners::create(&own).unwrap();
    owners::seal(&dir, &own, Some(usurpers)).unwrap();
    let fault = refused(&lab).await;
    let not_signed = |fault: &StartFault| {
        matches!(
            fault,
            StartFault::PolicyChange(PolicyChangeFault::Manifest(ManifestFault::NotSignedByFormerOwner(_)))
        )
    };
    assert!(not_signed(&fault), "{fault}");

    // One owner is left out; with his signature it is his own doing.
    restore();
    let text = fs::read_to_string(dir.join("manifest.note")).unwrap();
    let (_, mut left) = manifest::unverified(&text).unwrap();
    let ggz = left.pop().unwrap();
    for file in fs::read_dir(dir.join("purposes")).unwrap() {
        let path = file.unwrap().path();
        let rule = fs::read_to_string(&path).unwrap();
        fs::write(path, rule.replace(&format!(", {}", ggz.id()), "")).unwrap();
    }
    let proven = async || {
        owners::decide(&lab.world.dir, Some(&in_force(&lab)), today()).await.unwrap();
        draft::draw_up(&dir, Some(left.clone())).unwrap();
    };
    let sign = |owner: &str| {
        let key = signing_key::read(&keys.join(format!("{owner}.pem"))).unwrap();
        draft::sign(&dir, &NoteSigner::new(owner, key).unwrap()).unwrap();
    };
    proven().await;
    for owner in &left {
        sign(owner.id());
    }
    let fault = refused(&lab).await;
    assert!(not_signed(&fault), "{fault}");
    sign(ggz.id());
    lab.world.gateway.reload().await.unwrap();
    assert_eq!(of_kind(&lab.log(0).await, "policy").len(), 2);

    // What was in force before does not come back by being put back.
    restore();
    let fault = refused(&lab).await;
    let lower = matches!(
        fault,
        StartFault::PolicyChange(PolicyChangeFault::Manifest(ManifestFault::VersionNotHigher { .. }))
    );
    assert!(lower, "{fault}");
    // Nor by a restart.
    let settings = Settings::load(&lab.world.dir.join("sluis.toml")).unwrap();
    let size = lab.size().await;
    lab.world.gateway.stop().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fault = Gateway::start_on(listener, settings, Arc::new(SystemClock)).await.map(drop).unwrap_err();
    assert!(matches!(fault, StartFault::PolicyChange(_)), "{fault}");
    assert!(size > 0);
}

/// R19, R38: a rule that is overdue permits nothing any more, while the gateway runs.
#[tokio::test(flavor = "multi_thread")]
async fn r19_a_rule_past_its_review_permits_nothing() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let shared = Arc::clone(&clock);
    let lab = Lab::start_with(|options| options.clock = shared).await;
    lab.record_main().await;
    let before = in_force(&lab);
    let tomorrow = (clock.now().day() + time::Duration::DAY).to_string();
    edit(&policies(&lab), REINTEGRATION, "2028-06-30", &tomorrow);
    owners::decide(&lab.world.dir, Some(&before), today()).await.unwrap();
    lab.world.gateway.reload().await.unwrap();
    let start = clock.now();
    for day in [0, 1] {
        clock.set(start.plus_millis(day * DAY_MILLIS));
        assert!(lab.ask("waterrijk", question()).await.is_ok(), "day {day}");
    }
    clock.set(start.plus_millis(2 * DAY_MILLIS));
    let status = lab.ask("waterrijk", question()).await.unwrap_err();
    assert_eq!(reason(&status), (Code::PermissionDenied, "POLICY_NOT_IN_EFFECT".to_owned()));
    // Nor does such a set load any more: the old one stays, and still permits nothing.
    assert!(matches!(lab.world.gateway.reload().await, Err(StartFault::Policy(_))));
    let status = lab.ask("waterrijk", question()).await.unwrap_err();
    assert_eq!(reason(&status).1, "POLICY_NOT_IN_EFFECT");
    let rows = lab.client("waterrijk").await.exchange();
    let mut rows = rows;
    let rows = rows.list_my_purposes(sluis::proto::ListMyPurposesRequest {}).await.unwrap().into_inner();
    assert!(rows.purposes.iter().all(|row| row.purpose != "REINTEGRATION"), "{rows:?}");
}

/// Who can write into the database, and has no key, cannot make himself an owner: what the log says of policies is
/// compared with what was signed of it.
#[tokio::test(flavor = "multi_thread")]
async fn p10_r40_a_database_that_was_written_into_does_not_say_who_owns() {
    if on_postgres() {
        return a_changed_entry_is_refused("update entry set facts = $1 where kind = 'policy'").await;
    }
    a_changed_entry_is_refused("update entry set facts = ?1 where kind = 'policy'").await;
}

async fn a_changed_entry_is_refused(statement: &'static str) {
    let lab = Lab::start().await;
    let (dir, own) = (policies(&lab), lab.path("own"));
    let usurpers = owners::create(&own).unwrap();
    owners::seal(&dir, &own, Some(usurpers)).unwrap();
    let note = fs::read_to_string(dir.join("manifest.note")).unwrap();
    let entry = lab.log(0).await.into_iter().find(|entry| entry.kind == "policy").unwrap();
    let mut facts = entry.facts;
    facts["manifest"] = Value::from(note);
    let facts = serde_json_canonicalizer::to_vec(&facts).unwrap();
    let settings = Settings::load(&lab.world.dir.join("sluis.toml")).unwrap();
    lab.world.gateway.stop().await;
    match &settings.database {
        DatabaseAddress::Folder(folder) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("sluis.db"));
            let mut open = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            sqlx::query(statement).bind(facts).execute(&mut open).await.unwrap();
            open.close().await.unwrap();
        }
        DatabaseAddress::Postgres(url) => {
            let mut open = crate::database::connect(url.reveal()).await;
            sqlx::query(statement).bind(facts).execute(&mut open).await.unwrap();
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fault = Gateway::start_on(listener, settings, Arc::new(SystemClock)).await.map(drop).unwrap_err();
    assert!(matches!(fault, StartFault::PolicyChange(PolicyChangeFault::Unreadable(_))), "{fault}");
}
