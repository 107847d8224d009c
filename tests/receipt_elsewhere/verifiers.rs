//! The four verifiers, each asked the same.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use sluis::{
    audit::receipt::{self, ReceiptFile},
    note::{VerifierKey, cosignature::CosignerKey},
};

use crate::{browser::Browser, root, verify_receipt};

/// A receipt file, and the keys it is verified with.
#[derive(Clone)]
pub struct Case {
    pub name: String,
    pub file: Vec<u8>,
    pub keys: Vec<String>,
}

impl Case {
    pub fn new(name: impl Into<String>, file: impl Into<Vec<u8>>, key: &str) -> Self {
        Self { name: name.into(), file: file.into(), keys: vec![key.to_owned()] }
    }
}

/// What a verifier says: the codes of what it found wrong, none of a receipt that holds. One that names no codes says
/// `refused`.
pub type Said = Vec<String>;

/// The gateway's own, which names all that is wrong.
pub fn ours(case: &Case) -> Said {
    let logs: Vec<VerifierKey> = case.keys.iter().filter_map(|key| key.parse().ok()).collect();
    let witnesses: Vec<CosignerKey> = case.keys.iter().filter_map(|key| key.parse().ok()).collect();
    assert_eq!(logs.len() + witnesses.len(), case.keys.len(), "{}", case.name);
    let Ok(receipt) = ReceiptFile::from_json(&case.file) else { return vec!["receipt_malformed".to_owned()] };
    let report = receipt::verify(&receipt, &logs, &witnesses);
    assert_eq!(report.exit_code() == 0, report.findings.is_empty(), "{}: {report}", case.name);
    report.findings.iter().map(|finding| finding.code.as_str().to_owned()).collect()
}

/// The example in Rust, which stops at the first.
pub fn example(case: &Case) -> Said {
    verify_receipt::verify(&case.file, &case.keys).err().map(ToOwned::to_owned).into_iter().collect()
}

/// As `main` of the Python verifier does, for many receipts and in one process.
const PYTHON: &str = "
import base64, json, sys
import sluis_receipt
for case in json.load(sys.stdin):
    try:
        receipt, answer = sluis_receipt.from_file(base64.b64decode(case['file']).decode('utf-8'))
        sluis_receipt.verify_receipt(receipt, answer, case['key'])
        print('holds')
    except (sluis_receipt.ReceiptError, UnicodeDecodeError):
        print('refused')
    except Exception as error:
        print(f'crashed: {error!r}')
";

/// The Python client's.
pub fn python(cases: &[Case]) -> Vec<Said> {
    let python = std::env::var_os("SLUIS_PYTHON").expect(
        "SLUIS_PYTHON must name a Python that has clients/python/requirements.txt; ./scripts/test makes one",
    );
    let mut child = Command::new(python)
        .args(["-B", "-c", PYTHON])
        .current_dir(root().join("clients/python"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("SLUIS_PYTHON can be run");
    let asked: Vec<_> = cases
        .iter()
        .map(|case| json!({"file": BASE64_STANDARD.encode(&case.file), "key": case.keys[0]}))
        .collect();
    child.stdin.take().unwrap().write_all(json!(asked).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    let said: Vec<Said> =
        told.lines().map(|line| if line == "holds" { vec![] } else { vec![line.to_owned()] }).collect();
    assert_eq!(said.len(), cases.len());
    said
}

/// What the page says of one receipt.
#[derive(Deserialize)]
pub struct Shown {
    pub verdict: String,
    pub codes: Said,
    /// Steps that were not taken, for whatever reason.
    pub open: usize,
}

const IN_THE_PAGE: &str = "
(async (cases) => {
  const shown = [];
  for (const { file, keys } of cases) {
    const result = await verifyReceipt(base64(file), keys);
    const steps = [...result.steps, ...result.entries.flatMap((entry) => entry.steps)];
    const codes = steps.filter((step) => step.state === 'failed').map((step) => step.code);
    const open = steps.filter((step) => step.state === 'undone' || step.state === 'absent').length;
    shown.push({ verdict: result.verdict, codes, open });
  }
  return shown;
})";

/// The page's script, in the page.
pub fn page(browser: &mut Browser, cases: &[Case]) -> Vec<Shown> {
    let mut shown = Vec::new();
    for cases in cases.chunks(100) {
        let asked: Vec<Value> = cases
            .iter()
            .map(|case| json!({"file": BASE64_STANDARD.encode(&case.file), "keys": case.keys.join("\n")}))
            .collect();
        let said = browser.evaluate(&format!("{IN_THE_PAGE}({})", json!(asked)));
        shown.extend(serde_json::from_value::<Vec<Shown>>(said).unwrap());
    }
    for (case, shown) in cases.iter().zip(&shown) {
        let name = &case.name;
        assert_eq!(shown.verdict == "refused", !shown.codes.is_empty(), "{name}");
        // It holds as a whole only if nothing was left out.
        assert_eq!(shown.verdict == "holds", shown.codes.is_empty() && shown.open == 0, "{name}");
    }
    shown
}
