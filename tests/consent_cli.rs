//! Consent as a GGZ system meets it on the command line: with a script of its own, with signed files, with FHIR, and with
//! a file of many forms.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

#[path = "gateway/database.rs"]
#[allow(dead_code, reason = "shared with the tests of the gateway")]
mod database;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use sluis::{
    consent::fhir,
    demo::{World, WorldOptions},
    domain::{Clock as _, time::SystemClock},
};
use tempfile::TempDir;

const KADE: &str = "00000099000003001000";
const WATERRIJK: &str = "00000099000001001000";
const SCAN: &[u8] = b"%PDF-1.7 a signed form, scanned";

struct Desk {
    world: World,
    folder: TempDir,
}

impl Desk {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = WorldOptions::new(&folder.path().join("region"));
        options.database = database::chosen().await;
        Self { world: World::start(options).await.unwrap(), folder }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// `sluis consent COMMAND --profile <that of a participant> ...`
    async fn run(&self, short: &str, command: &str, more: &[&str]) -> Output {
        let profile = self.world.profile(short);
        let mut arguments = vec!["consent".to_owned(), command.to_owned()];
        arguments.extend(["--profile".to_owned(), profile.display().to_string()]);
        arguments.extend(more.iter().map(|one| (*one).to_owned()));
        let run = move || Command::new(env!("CARGO_BIN_EXE_sluis")).args(arguments).output().unwrap();
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// The same, where it must succeed; what it printed.
    async fn done(&self, short: &str, command: &str, more: &[&str]) -> String {
        let output = self.run(short, command, more).await;
        assert!(output.status.success(), "{command} {more:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    async fn json(&self, short: &str, command: &str, more: &[&str]) -> Value {
        serde_json::from_str(&self.done(short, command, &[more, &["--json"]].concat()).await).unwrap()
    }

    /// The same, where it must fail; what it said.
    async fn fails(&self, short: &str, command: &str, more: &[&str]) -> String {
        let output = self.run(short, command, more).await;
        assert_eq!(output.status.code(), Some(1), "{command} {more:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn draft(bsn: &str, signed_on: &str, until: &str) -> Value {
    json!({
        "bsn": bsn, "recorder": KADE, "form_number": 1, "form_version": 3, "signed_on": signed_on,
        "custodian": KADE, "media_type": "application/pdf", "size": SCAN.len(),
        "sha256": hex::encode(digest(&SHA256, SCAN)),
        "explanation": {
            "text_version": 2, "language": "nl", "reading_level": "B1", "explained_by": "ggz.trajectbegeleider",
            "explained_on": signed_on,
        },
        "collection": {
            "context": "GUIDANCE_TALK", "method": "WET_INK", "alternative": "CLIENT_TELLS_HIMSELF",
            "withdrawal": ["IN_PERSON", "LETTER"], "verified_by": "ggz.trajectbegeleider", "verified_on": signed_on,
        },
        "grantor": { "kind": "CLIENT", "client_age": "ADULT" },
        "grants": [{
            "recipient": WATERRIJK, "role": "gem.klantmanager", "purpose": "REINTEGRATION", "source": KADE,
            "fields": ["VW-02", "VW-04"], "valid_from": signed_on, "valid_until": until,
        }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_from_its_recording_to_its_end() {
    let desk = Desk::start().await;
    let form = desk.file("form.json", draft("999990019", "today-14", "today+30").to_string());
    let checked = desk.done("kade", "record", &[path(&form), "--dry-run"]).await;
    assert!(checked.contains("nothing was"), "{checked}");
    let recorded = desk.json("kade", "record", &[path(&form)]).await;
    let form_id = recorded["form_id"].as_str().unwrap();
    let grant_id = recorded["grants"][0]["grant_id"].as_str().unwrap();

    // The kept form, and another.
    let (scan, other) = (desk.file("scan.pdf", SCAN), desk.file("other.pdf", b"%PDF-1.7 another"));
    let same = desk.done("kade", "check-evidence", &["--form", form_id, path(&scan)]).await;
    assert!(same.contains("are those recorded"), "{same}");
    let differs = desk.fails("kade", "check-evidence", &["--form", form_id, path(&other)]).await;
    assert!(differs.contains("not the form that was recorded"), "{differs}");

    // Found, and ending soon.
    let shown = desk.json("kade", "show", &["--bsn", "999990019"]).await;
    assert_eq!(shown["consents"][0]["form_id"], form_id);
    assert_eq!(shown["consents"][0]["grants"][0]["status"], "GRANT_STATUS_IN_FORCE");
    assert!(shown["consents"][0]["grants"][0]["countersignature"].as_str().unwrap().starts_with("ey"));
    assert_eq!(desk.json("kade", "list", &["--bsn", "999990019"]).await, shown);
    let expiring = desk.json("kade", "expiring", &["--within", "31"]).await;
    assert_eq!(expiring["grants"][0]["grant_id"], grant_id);
    let letter = desk.done("kade", "letter", &[form_id]).await;
    assert!(letter.contains("Gemeente Waterrijk") && letter.contains("Hoe kunt u stoppen?"), "{letter}");
    assert!(
        desk.done("kade", "letter", &[form_id, "--html", "--lang", "en"]).await.contains("<html lang=\"en\"")
    );

    // Renewed, and so replaced.
    let mut renewal = draft("999990019", "today", "today+300");
    renewal["grants"][0]["renews"] = json!(grant_id);
    let renewal = desk.file("renewal.json", renewal.to_string());
    let renewed = desk.json("kade", "record", &[path(&renewal)]).await;
    let new_form = renewed["form_id"].as_str().unwrap();
    let shown = desk.json("kade", "show", &[form_id]).await;
    assert_eq!(shown["consents"][0]["grants"][0]["status"], "GRANT_STATUS_RENEWED");
    assert!(desk.done("kade", "expiring", &["--within", "31"]).await.contains("nothing ends"));

    // Paused and resumed, by the form; then everything of the source.
    desk.done("kade", "pause", &["--form", new_form]).await;
    assert!(desk.done("kade", "show", &[new_form]).await.contains(": paused"));
    desk.done("kade", "resume", &["--form", new_form]).await;
    desk.done("kade", "pause-source", &[]).await;
    assert!(desk.done("kade", "show", &[new_form]).await.contains(": paused"));
    desk.done("kade", "resume-source", &[]).await;
    assert!(desk.done("kade", "show", &[new_form]).await.contains(": in_force"));

    // Withdrawn, and withdrawn again.
    for _ in 0..2 {
        let withdrawn = desk.done("kade", "withdraw", &["--form", new_form]).await;
        assert!(withdrawn.contains("withdrawn, log position"), "{withdrawn}");
    }
    let over = desk.fails("kade", "pause", &["--form", new_form]).await;
    assert!(over.contains("GRANT_OVER"), "{over}");
    desk.done("kade", "withdraw", &["--bsn", "999990019", "--everything"]).await;

    // Never should have been; what happened to all of it.
    let invalidated = desk.done("kade", "invalidate", &["--form", form_id, "--reason", "wrong-form"]).await;
    assert!(invalidated.contains("nothing was released under it"), "{invalidated}");
    assert!(desk.done("kade", "disclosures", &[]).await.contains("nothing left"));
    let watched = desk.done("kade", "watch", &["--once", "--json", "--acknowledge"]).await;
    let kinds: Vec<_> = watched
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["grant"]["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected = [
        "confirmed",
        "recorded", // the form
        "renewed",
        "confirmed",
        "recorded", // its renewal
        "paused",
        "resumed",
        "withdrawn",
        "withdrawn",
        "invalidated",
    ];
    let sorted = |mut kinds: Vec<String>| {
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(sorted(kinds), sorted(expected.map(ToOwned::to_owned).to_vec()));
    assert!(desk.done("kade", "watch", &["--once"]).await.is_empty(), "acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_signed_where_the_client_was_not_free_needs_another_talk() {
    let desk = Desk::start().await;
    let mut form = draft("999990019", "today-14", "today+30");
    form["collection"]["context"] = json!("INTAKE");
    let form = desk.file("form.json", form.to_string());
    let recorded = desk.json("kade", "record", &[path(&form)]).await;
    let form_id = recorded["form_id"].as_str().unwrap();
    assert_eq!(recorded["grants"][0]["status"], "GRANT_STATUS_NOT_RECONFIRMED");
    let letter = desk.done("kade", "letter", &[form_id]).await;
    assert!(letter.contains("tweede gesprek"), "{letter}");
    let with = ["--recorder", KADE, "--with", "ggz.trajectbegeleider"];
    let again = |context: &'static str, on: &'static str| {
        [&with[..], &["--context", context, "--on", on, form_id]].concat()
    };
    let unfree = desk.fails("kade", "reconfirm", &again("INTAKE", "today")).await;
    assert!(unfree.contains("FORM_NOT_FREE (R13)") && unfree.contains("GUIDANCE_TALK"), "{unfree}");
    desk.done("kade", "reconfirm", &again("THREE_WAY_TALK", "today")).await;
    assert!(desk.done("kade", "show", &[form_id]).await.contains(": in_force"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_file_is_recorded_by_whoever_has_no_key() {
    let desk = Desk::start().await;
    let form = desk.file("form.json", draft("999990019", "today-14", "today+30").to_string());
    let signed = desk.folder.path().join("signed.json");
    desk.done("kade", "sign", &["--out", path(&signed), path(&form)]).await;
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&signed).unwrap().permissions().mode() & 0o077, 0, "it holds a number");
    let recorded = desk.json("kade", "record", &["--signed", path(&signed)]).await;
    assert_eq!(recorded["grants"][0]["status"], "GRANT_STATUS_IN_FORCE");
    let twice = desk.fails("kade", "record", &["--signed", path(&signed)]).await;
    assert!(twice.contains("FORM_ID_USED"), "{twice}");
    // Another's form is not one's own.
    let other = desk.fails("veer", "record", &["--signed", path(&signed)]).await;
    assert!(other.contains("FORM_KEY_UNKNOWN"), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fhir_consent_goes_in_and_comes_out() {
    let desk = Desk::start().await;
    let day = SystemClock.now().day();
    let until = day.checked_add(time::Duration::days(100)).unwrap();
    let own = draft("999990019", &day.to_string(), &until.to_string());
    let (bundle, _) = fhir::export_draft(&own).unwrap();
    let file = desk.file("consent.json", bundle.to_string());
    let recorded = desk.json("kade", "record", &["--fhir", path(&file)]).await;
    let form_id = recorded["form_id"].as_str().unwrap();
    assert_eq!(recorded["grants"][0]["fields"], json!(["VW-02", "VW-04"]));
    let exported = desk.done("kade", "export-fhir", &["--bsn", "999990019", form_id]).await;
    let exported: Value = serde_json::from_str(&exported).unwrap();
    // What comes out is the consent that went in.
    let (again, _) = fhir::import(&exported).unwrap();
    assert_eq!(again, fhir::import(&bundle).unwrap().0);
    desk.done("kade", "withdraw", &["--form", form_id]).await;
    let exported = desk.done("kade", "export-fhir", &[form_id]).await;
    assert!(exported.contains("\"inactive\"") && !exported.contains("999990019"), "{exported}");
    let broken = desk.file("broken.json", bundle.to_string().replace("\"REINTEGRATION\"", "\"*\""));
    let refused = desk.fails("kade", "record", &["--fhir", path(&broken)]).await;
    assert!(refused.contains("purpose"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_many_forms_is_recorded_once_however_often_it_is_sent() {
    let desk = Desk::start().await;
    let numbers = ["999990019", "999990676", "999990408"];
    let mut lines: Vec<_> =
        numbers.iter().map(|bsn| draft(bsn, "today-14", "today+30").to_string()).collect();
    lines.insert(1, draft(numbers[0], "today-14", "today+900").to_string());
    let file = desk.file("forms.jsonl", format!("{}\n\n", lines.join("\n")));
    let report = desk.folder.path().join("report.jsonl");
    let into = ["--report", path(&report), path(&file)];

    let dry = desk.run("kade", "import", &[&["--dry-run"], &into[..]].concat()).await;
    assert!(text(&dry.stdout).contains("3 would be recorded"), "{}", text(&dry.stdout));
    assert!(desk.json("kade", "show", &["--bsn", numbers[0]]).await.get("consents").is_none());

    let first = desk.run("kade", "import", &into).await;
    let told = text(&first.stdout);
    assert_eq!(first.status.code(), Some(1), "one was refused");
    assert!(told.contains("3 recorded") && told.contains("1 refused"), "{told}");
    assert!(
        told.contains("line 2 refused: FORM_PERIOD_TOO_LONG (R06)") && told.contains("valid_until"),
        "{told}"
    );
    let rows: Vec<Value> = fs::read_to_string(&report)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.iter().filter(|row| row["outcome"] == "recorded").count(), 3);
    assert!(numbers.iter().all(|bsn| !fs::read_to_string(&report).unwrap().contains(bsn)));

    // Gone on with after it was broken off: what the report has is skipped, what it lost is known again.
    let kept = fs::read_to_string(&report).unwrap();
    let cut = &kept[..kept.find('\n').unwrap() + 20];
    fs::write(&report, format!("{cut}\n")).unwrap();
    let resumed = desk.run("kade", "import", &[&["--resume"], &into[..]].concat()).await;
    let told = text(&resumed.stdout);
    assert!(told.contains("0 recorded, 2 known from before, 1 skipped, 1 refused"), "{told}");
    for bsn in numbers {
        let shown = desk.json("kade", "show", &["--bsn", bsn]).await;
        assert_eq!(shown["consents"].as_array().unwrap().len(), 1);
    }
}
