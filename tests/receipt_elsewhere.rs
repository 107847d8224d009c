//! A receipt says the same to whoever verifies it: the gateway's own verifier, the example in Rust, the Python client, and
//! the page for a browser. Real receipts, broken ones, and ones that no gateway would make.
//!
//! ```text
//! SLUIS_RECEIPT_SEED=7 cargo test --test receipt_elsewhere     # other bits are flipped
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

#[path = "receipt_elsewhere/broken.rs"]
mod broken;
#[path = "receipt_elsewhere/browser.rs"]
mod browser;
#[path = "receipt_elsewhere/made.rs"]
mod made;
#[path = "receipt_elsewhere/page.rs"]
mod page;
#[path = "fuzz/random.rs"]
#[allow(dead_code, reason = "shared with the fuzz targets")]
mod random;
#[path = "receipt_elsewhere/verifiers.rs"]
mod verifiers;
#[path = "../examples/verify_receipt.rs"]
#[allow(dead_code, reason = "its `main` is for the command line")]
mod verify_receipt;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use prost_types::FieldMask;
use sluis::{
    audit::{receipt::ReceiptFile, report::Code},
    demo::{World, WorldOptions},
    domain::{RequestId, UserId},
    proto,
};

use self::{
    broken::Real,
    browser::Browser,
    made::Log,
    random::Random,
    verifiers::{Case, Said},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn receipt_page() -> std::path::PathBuf {
    root().join("clients/browser/receipt.html")
}

/// Where the Python verifier says otherwise, and by docs/audit-log.md is wrong. A row that it has
/// learned must go, and the test says so.
const PYTHON_IS_WRONG: &[&str] = &[];

/// Whether Python may say what it says, where the gateway's own verifier says this. An answer that nothing commits to it
/// reads less closely than the others, so of a flipped bit in one it may think either way.
fn python_may(name: &str, ours: &Said, python: &Said) -> bool {
    let of_nothing = name.starts_with("nothing, bit ") && ours == &["answer_not_committed"];
    of_nothing || (python.is_empty() == ours.is_empty()) != PYTHON_IS_WRONG.contains(&name)
}

/// Asks as Gemeente Waterrijk, and gives the receipt file with the answer in it.
async fn ask(world: &World, bsn: &str) -> String {
    let paths = ["working_hours.hours_per_week", "support.job_coach_needed"];
    let question = proto::RequestWorkCapacityRequest {
        request_id: RequestId::random().to_string(),
        bsn: bsn.to_owned(),
        purpose: "REINTEGRATION".to_owned(),
        role: "gem.klantmanager".to_owned(),
        user_id: UserId::random().to_string(),
        fields: Some(FieldMask { paths: paths.map(ToOwned::to_owned).to_vec() }),
        necessity: proto::Necessity::ProfessionalAssessmentNeeded.into(),
        ..Default::default()
    };
    let client = world.client("waterrijk").await.unwrap();
    let answer = client.exchange().request_work_capacity(question).await.unwrap().into_inner();
    ReceiptFile::from_answer(&answer).unwrap().to_json().unwrap()
}

/// Starts a gateway, has a consent recorded, and asks.
fn real() -> Real {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::start(WorldOptions::new(&folder.path().join("region")))).unwrap();
    let record = Command::new(env!("CARGO_BIN_EXE_sluis"))
        .args(["consent", "record", "--profile"])
        .arg(world.profile("kade"))
        .arg(root().join("demo/forms/main.json"))
        .output()
        .unwrap();
    assert!(record.status.success(), "{}", String::from_utf8_lossy(&record.stderr));
    let real = runtime.block_on(async {
        Real {
            released: ask(&world, "999990019").await,
            again: ask(&world, "999990019").await,
            // Nothing is recorded about this number.
            nothing: ask(&world, "999999643").await,
            key: world.gateway.verifier_key.clone(),
        }
    });
    runtime.block_on(world.stop());
    real
}

#[test]
fn four_verifiers_agree() {
    let seed = std::env::var("SLUIS_RECEIPT_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("SLUIS_RECEIPT_SEED={seed}");
    let (real, log) = (real(), Log::new(1));
    let whole = real.whole();
    let known: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut cases = whole.clone();
    cases.extend(real.broken(&mut Random::new(seed), &Log::new(2).renamed(&real.key)));
    cases.extend(made::all(&log));

    let mut browser = Browser::open(&receipt_page());
    let pages = verifiers::page(&mut browser, &cases);
    let pythons = verifiers::python(&cases);
    let (mut held, mut faults) = (0, Vec::new());
    for ((case, page), python) in cases.iter().zip(&pages).zip(&pythons) {
        let (ours, example) = (verifiers::ours(case), verifiers::example(case));
        held += usize::from(ours.is_empty());
        let mut differs =
            |who: &str, said: &Said| faults.push(format!("{}: {ours:?}, but {who} {said:?}", case.name));
        // The others need not find everything; what they find is there.
        for (who, said) in [("the example", &example), ("the page", &page.codes)] {
            if said.is_empty() != ours.is_empty() || !said.iter().all(|code| ours.contains(code)) {
                differs(who, said);
            }
        }
        if !python_may(&case.name, &ours, python) {
            differs("Python", python);
        }
        assert!(page.codes.iter().all(|code| known.contains(code.as_str())), "{}", case.name);
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
    for case in &whole {
        assert_eq!(verifiers::ours(case), [""; 0], "{}", case.name);
    }
    println!("{} receipts, of which {held} hold", cases.len());
    assert!(held > 70 && cases.len() - held > 450, "{held} of {}", cases.len());
}

#[test]
fn a_witness_counts_with_its_key_and_not_without() {
    let log = Log::new(1);
    let mut browser = Browser::open(&receipt_page());
    let time = 1_795_426_200;
    let good = made::cosigned(&log, time, |_| {});
    let late = made::cosigned(&log, 1 << 63, |_| {});
    for (name, (witness, file), expected) in [
        ("as it is", good, &[][..]),
        ("a flipped bit", made::cosigned(&log, time, |line| line[20] ^= 1), &["signature_invalid"]),
        ("another time", made::cosigned(&log, time, |line| line[11] ^= 1), &["signature_invalid"]),
        ("cut off", made::cosigned(&log, time, |line| line.truncate(9)), &["signature_invalid"]),
        ("a time beyond 63 bits", late, &["signature_invalid"]),
    ] {
        let alone = Case::new(name, file, &log.vkey);
        let both = Case { keys: vec![log.vkey.clone(), witness.clone()], ..alone.clone() };
        let only = Case { keys: vec![witness], ..alone.clone() };
        let pages = verifiers::page(&mut browser, &[alone.clone(), both.clone(), only.clone()]);
        for ((case, page), expected) in [&alone, &both, &only].into_iter().zip(&pages).zip([
            &["signature_unknown"],
            expected,
            &["keys_not_given"],
        ]) {
            assert_eq!(page.codes, expected, "{name}");
            assert_eq!(verifiers::example(case), expected, "{name}");
            let ours = verifiers::ours(case);
            assert_eq!(ours.is_empty(), expected.is_empty(), "{name}: {ours:?}");
            assert!(expected.iter().all(|code| ours.iter().any(|ours| ours == code)), "{name}: {ours:?}");
        }
    }
}

#[test]
fn the_example_ends_as_the_documentation_says() {
    let statuses = Code::ALL.iter().map(|code| code.as_str());
    let text = fs::read_to_string(root().join("docs/audit-log.md")).unwrap();
    let ours = [
        "receipt_malformed",
        "proof_malformed",
        "checkpoint_malformed",
        "signature_invalid",
        "signature_unknown",
        "signature_missing",
        "proof_mismatch",
        "leaf_malformed",
        "kind_unknown",
        "facts_mismatch",
        "facts_malformed",
        "part_missing",
        "sealed_mismatch",
        "sealed_closed",
        "receipt_entries",
        "answer_mismatch",
        "answer_not_committed",
        "keys_not_given",
        "keys_unreadable",
        "file_unreadable",
    ];
    for code in statuses.filter(|code| ours.contains(code)) {
        let row = format!("| `{code}` | {} |", verify_receipt::exit_status(code));
        assert!(text.contains(&row), "{row}");
    }
}
