//! What a privacy officer does at the command line: erases a client by the steps of docs/erasure.md, keeps checkpoints and
//! holds the log to them, and reads a report in Dutch.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use sluis::{
    audit::export::stored::{Openings, export},
    note::VerifierKey,
    proto,
};

use crate::{
    lab::Lab,
    promises::{BY_KADE, bsn},
};

/// Runs a command with this on its standard input.
async fn sluis(arguments: &[&str], input: &str) -> Output {
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let input = input.to_owned();
    let run = move || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sluis"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn text(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

async fn ok(arguments: &[&str], input: &str) -> String {
    let out = sluis(arguments, input).await;
    assert!(out.status.success(), "{arguments:?}: {}", text(&out));
    text(&out)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn p11_a_client_is_erased_at_the_command_line() {
    let lab = Lab::start().await;
    BY_KADE.record(&lab, &bsn(0)).await.unwrap();
    let (profile, order) = (lab.world.profile("fg"), lab.path("order.txt"));
    let (profile, order) = (path(&profile), path(&order));
    let number = format!("{}\n", bsn(0));
    let plan = ["erase", "plan", "--profile", profile, "--out", order];
    let planned = ok(&plan, &number).await;
    assert!(
        planned.contains("1 forms with 1 grants") && planned.contains("in its way: ERASURE_CONSENT_NOT_OVER")
    );
    use proto::withdraw_consent_request::Selector;
    let selector = Some(Selector::EverythingOfBsn(bsn(0)));
    lab.client("kade")
        .await
        .consent()
        .withdraw_consent(proto::WithdrawConsentRequest { selector })
        .await
        .unwrap();
    let planned = ok(&plan, &number).await;
    assert!(!planned.contains("in its way") && !planned.contains(&bsn(0)), "{planned}");
    let run = ["erase", "run", "--profile", profile, "--order", order];
    for (officer, refusal) in [("fg-1", "ERASURE_ORDER_INVALID"), ("fg-2", "ERASURE_NEEDS_TWO")] {
        let refused = sluis(&run, &number).await;
        assert!(!refused.status.success() && text(&refused).contains(refusal), "{}", text(&refused));
        let key = lab.world.dir.join(format!("signing/{officer}.pem"));
        ok(&["erase", "sign", order, "--officer", officer, "--key", path(&key)], "").await;
        let mode = fs::metadata(order).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it has what hides the client");
    }
    let key = lab.world.dir.join("signing/fg-2.pem");
    let again = sluis(&["erase", "sign", order, "--officer", "fg-2", "--key", path(&key)], "").await;
    assert!(text(&again).contains("you have signed this order before"), "{}", text(&again));
    let other = sluis(&run, &format!("{}\n", bsn(1))).await;
    assert!(text(&other).contains("is about another client"), "{}", text(&other));
    let done = ok(&run, &number).await;
    assert!(done.contains("erased; entry ") && done.contains("Complete on "), "{done}");
    let shown = ok(&["audit", "show", "--profile", profile, "--kind", "erasure"], "").await;
    assert!(shown.contains("\"event\":\"erased\"") && !shown.contains(&bsn(0)), "{shown}");
    let twice = sluis(&run, &number).await;
    assert!(text(&twice).contains("was carried out before"), "{}", text(&twice));
}

#[tokio::test(flavor = "multi_thread")]
async fn p07_an_officer_holds_the_log_to_what_he_kept() {
    let lab = Lab::start().await;
    let profile = lab.world.profile("fg");
    let trust = lab.path("trust.txt");
    fs::write(&trust, format!("{}\n", lab.world.gateway.verifier_key)).unwrap();
    let kept = lab.path("kept");
    let (profile, trust, kept) = (path(&profile), path(&trust), path(&kept));
    let first = ok(&["audit", "checkpoint", "--profile", profile, "--out", kept], "").await;
    assert!(first.contains("not anchored"), "{first}");
    let since = ["audit", "checkpoint", "--profile", profile, "--trust", trust, "--since", kept];
    let held = ok(&since, "").await;
    assert!(held.contains("key as given") && held.contains("are those of the earlier checkpoint"), "{held}");

    // Another history under the same key, and a checkpoint that the key has not signed.
    let signed = fs::read_to_string(kept).unwrap();
    let mut lines: Vec<&str> = signed.lines().collect();
    let root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    lines[2] = root;
    fs::write(kept, lines.join("\n") + "\n").unwrap();
    let forged = sluis(&since, "").await;
    assert_eq!(forged.status.code(), Some(4), "{}", text(&forged));
    let key = fs::read(lab.world.dir.join("data/keys/log.key")).unwrap();
    let origin = lines[0];
    let signer = sluis::note::NoteSigner::from_pkcs8(origin, &key).unwrap();
    fs::write(kept, signer.sign(&format!("{origin}\n2\n{root}\n")).unwrap()).unwrap();
    let forked = sluis(&since, "").await;
    assert_eq!(forked.status.code(), Some(4), "{}", text(&forked));
    assert!(text(&forked).contains("does not begin with the log of the earlier checkpoint"));
    fs::write(kept, signer.sign(&format!("{origin}\n1000000\n{root}\n")).unwrap()).unwrap();
    assert!(text(&sluis(&since, "").await).contains("the log had 1000000 entries"));

    // A report for whoever reads Dutch, of an export in which a bit was changed.
    let out = lab.path("export");
    let verifier: VerifierKey = lab.world.gateway.verifier_key.parse().unwrap();
    let store = lab.world.gateway.store.as_ref();
    export(store, &out, &[verifier], Openings::default(), |_, _| {}).await.unwrap();
    let verify = ["audit", "verify", path(&out), "--trust", trust, "--language", "nl"];
    assert!(ok(&verify, "").await.starts_with("in orde: logboek `"));
    let opened = out.join("opened/000.jsonl");
    let changed = fs::read_to_string(&opened).unwrap().replacen("policies", "policiez", 1);
    fs::write(&opened, changed).unwrap();
    let report = sluis(&verify, "").await;
    assert_eq!(report.status.code(), Some(4));
    let said = text(&report);
    assert!(
        said.starts_with("ermee geknoeid") && said.contains("vermelding 0: de feiten zijn niet die"),
        "{said}"
    );
}
