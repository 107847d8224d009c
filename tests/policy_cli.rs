//! The guide of docs/policy.md, walked by command line as its readers do: change a ceiling, see what that would have done
//! to past decisions, have it proven, signed and active. The gateway runs all the while.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail in any way"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use sluis::{
    client::Profile,
    consent::draft::FormDraft,
    demo::{World, WorldOptions, data},
    domain::time::{Clock as _, SystemClock},
    proto,
};

const BSN: &str = "999990019";
const REINTEGRATION: &str = "purposes/REINTEGRATION.cedar";

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluis")).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a command that succeeds prints.
fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    text(&output)
}

/// What a command that fails says.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output));
    text(&output)
}

fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", text(&output)))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn edit(path: &Path, change: impl Fn(&str) -> String) {
    let before = fs::read_to_string(path).unwrap();
    let after = change(&before);
    assert_ne!(before, after, "{}", path.display());
    fs::write(path, after).unwrap();
}

async fn ask(world: &World) -> proto::RequestWorkCapacityResponse {
    let paths = ["working_hours.hours_per_week", "support.job_coach_needed"];
    let request = proto::RequestWorkCapacityRequest {
        request_id: uuid::Uuid::new_v4().to_string(),
        bsn: BSN.to_owned(),
        purpose: "REINTEGRATION".to_owned(),
        role: "gem.klantmanager".to_owned(),
        user_id: uuid::Uuid::new_v4().to_string(),
        fields: Some(prost_types::FieldMask { paths: paths.map(str::to_owned).to_vec() }),
        necessity: proto::Necessity::ProfessionalAssessmentNeeded.into(),
        case_id: String::new(),
        validate_only: false,
    };
    let client = world.client("waterrijk").await.unwrap();
    client.exchange().request_work_capacity(request).await.unwrap().into_inner()
}

fn above(answer: &proto::RequestWorkCapacityResponse) -> Vec<String> {
    answer.above_ceiling.clone().unwrap().paths
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ceiling_is_changed_compared_proven_signed_and_active_by_the_guide() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let mut options = WorldOptions::new(&folder.path().join("region"));
    options.answer_after_ms = 1_700;
    let world = World::start(options).await.unwrap();
    let profile = Profile::load(&world.profile("kade")).unwrap();
    let (kid, key) = profile.signing_key().unwrap();
    let form = FormDraft::parse(data::MAIN_FORM).unwrap().sign(&kid, &key, SystemClock.now().day()).unwrap();
    world.client("kade").await.unwrap().consent().record_consent(form).await.unwrap();
    assert!(above(&ask(&world).await).is_empty());

    // What is in force.
    let region = at("region");
    let (in_force, next) = (at("region/policies"), at("next"));
    assert!(done(&["policy", "check", &in_force]).contains("signed by voorbeeld-ggz"));
    copy(Path::new(&in_force), Path::new(&next));

    // 1. The change: VW_DETAIL goes out of the ceiling of re-integration, rule and cases.
    edit(&Path::new(&next).join(REINTEGRATION), |rule| rule.replace(" Sluis::FieldSet::\"VW_DETAIL\",", ""));
    assert!(
        refused(&["policy", "check", &next])
            .contains("was signed over another `purposes/REINTEGRATION.cedar`")
    );
    done(&["policy", "check", "--draft", &next]);

    // 2. The cases say what was agreed before, and have to say what is agreed now.
    let differs = refused(&["policy", "test", &next]);
    assert!(differs.contains("REINTEGRATION gem.klantmanager gemeente VW_DETAIL"), "{differs}");
    edit(&Path::new(&next).join("tests/REINTEGRATION.toml"), |cases| cases.replace(" \"VW_DETAIL\",", ""));
    let tested = json(&["policy", "test", &next, "--json"]);
    assert_eq!(tested["ok"], true, "{tested}");
    assert!(tested["coverage"]["REINTEGRATION/gem-klantmanager"]["permits"].as_u64() > Some(0));

    // 3. What it would have done to past decisions.
    let export = at("export");
    done(&["audit", "export", "--data-dir", &region, "--out", &export, "--details"]);
    done(&["audit", "verify", &export]);
    let replayed = json(&["policy", "replay", "--export", &export, "--against", &next, "--json"]);
    assert_eq!((&replayed["ok"], &replayed["repeated"]), (&true.into(), &1.into()), "{replayed}");
    assert_eq!(replayed["against"]["changed"], 1, "{replayed}");
    let told = done(&["policy", "replay", "--export", &export, "--against", &next]);
    assert!(
        told.contains("0 kwamen anders uit") && told.contains("nu boven de grens van het doel"),
        "{told}"
    );
    let same = json(&["policy", "replay", "--export", &export, "--against", &in_force, "--json"]);
    assert_eq!(same["against"]["changed"], 0);

    // 4. Proof, in comparison with what is in force.
    let proven = done(&["policy", "prove", &next, "--against", &in_force]);
    assert!(proven.contains("- REINTEGRATION gem.klantmanager ggz VW_DETAIL"), "{proven}");

    // 5. Signatures of all owners, and of nobody over something else.
    done(&["policy", "manifest", &next]);
    let sign = |dir: &str, owner: &str| {
        let key = at(&format!("region/owners/{owner}.pem"));
        run(&["policy", "sign", dir, "--owner", owner, "--key", &key])
    };
    let council = PathBuf::from(&next).join("README.md");
    fs::write(&council, "notes\n").unwrap();
    assert!(sign(&next, "voorbeeldgemeente").status.success(), "a note is no part of the policies");
    assert!(refused(&["policy", "check", &next]).contains("is not signed by its owner `voorbeeld-uwv`"));
    edit(&Path::new(&next).join("purposes.toml"), |text| format!("{text}# more\n"));
    let other = sign(&next, "voorbeeld-uwv");
    assert!(text(&other).contains("was signed over another `purposes.toml`"), "{}", text(&other));
    edit(&Path::new(&next).join("purposes.toml"), |text| text.replace("# more\n", ""));
    for owner in ["voorbeeld-uwv", "voorbeeld-ggz"] {
        assert!(sign(&next, owner).status.success());
    }
    let checked = json(&["policy", "check", &next, "--json"]);
    assert_eq!((&checked["ok"], &checked["version"]), (&true.into(), &2.into()), "{checked}");

    // 6. In force: the folder of the gateway, and SIGHUP or the next look.
    fs::remove_dir_all(&in_force).unwrap();
    copy(Path::new(&next), Path::new(&in_force));
    world.gateway.reload().await.unwrap();
    let answer = ask(&world).await;
    assert_eq!(above(&answer), ["support.job_coach_needed"]);

    // 7. What anybody can see of it later.
    let after = at("after");
    done(&["audit", "export", "--data-dir", &region, "--out", &after, "--details"]);
    let history = done(&["policy", "history", "--export", &after, "--extract", "1", &at("first")]);
    assert!(history.contains("version 1 from") && history.contains("version 2 from"), "{history}");
    let first = fs::read_to_string(Path::new(&at("first")).join(REINTEGRATION)).unwrap();
    assert!(first.contains("VW_DETAIL"));
    let replayed = json(&["policy", "replay", "--export", &after, "--json"]);
    assert_eq!((&replayed["ok"], &replayed["repeated"]), (&true.into(), &2.into()), "{replayed}");
    let shut = at("shut");
    done(&["audit", "export", "--data-dir", &region, "--out", &shut]);
    let nothing = json(&["policy", "replay", "--export", &shut, "--json"]);
    assert_eq!(nothing["repeated"], 0);
    assert!(nothing["left_out"].as_object().unwrap().values().any(|count| count == 2), "{nothing}");

    // 8. And why: the officer asks about the decision, the recorder about the grant.
    let officer = at("region/profiles/fg.toml");
    let positions = done(&["audit", "show", "--profile", &officer, "--kind", "outcome", "--json"]);
    let newest: Value = serde_json::from_str(positions.lines().next().unwrap()).unwrap();
    let position = newest["position"].as_str().unwrap();
    let told = done(&["policy", "explain", "--profile", &officer, "--position", position]);
    assert!(told.contains("ABOVE_CEILING") && told.contains("boven de grens"), "{told}");
    let supposed = done(&[
        "policy",
        "explain",
        "--policies",
        &in_force,
        "--purpose",
        "REINTEGRATION",
        "--role",
        "gem.klantmanager",
        "--source-kind",
        "ggz",
        "--field",
        "WT-02",
        "--without",
        "consent_in_force",
    ]);
    assert!(supposed.contains("WT: niet toegestaan; guardrail/no-consent-in-force"), "{supposed}");
    world.stop().await;
}

#[test]
fn an_owner_makes_a_key_once_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("owner.pem").display().to_string();
    let made = done(&["policy", "key", "--owner", "gemeente-x", "--out", &key]);
    assert!(made.starts_with("gemeente-x+"), "{made}");
    refused(&["policy", "key", "--owner", "gemeente-x", "--out", &key]);
    let other = folder.path().join("other.pem").display().to_string();
    refused(&["policy", "key", "--owner", "with space", "--out", &other]);
    assert!(!Path::new(&other).exists());

    let policies = folder.path().join("policies");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"), &policies);
    let policies = policies.display().to_string();
    let owner = format!("{}=Gemeente X, college", made.trim());
    done(&["policy", "manifest", &policies, "--owner", &owner]);
    assert!(refused(&["policy", "manifest", &policies, "--owner", "nobody"]).contains("--owner"));
    done(&["policy", "sign", &policies, "--owner", "gemeente-x", "--key", &key]);
    // The rules still name the owners of the example.
    let told = refused(&["policy", "check", &policies]);
    assert!(told.contains("names the owner `voorbeeldgemeente`, whom the manifest does not name"), "{told}");
    assert!(told.contains("purposes/JOB_COACHING.cedar:4:"), "{told}");
}
