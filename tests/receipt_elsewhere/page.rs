//! The page as a file, and as its user sees it.

use std::{fs, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    made::{self, Log},
    receipt_page, root,
    verifiers::Case,
};

fn sha256(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

/// What stands between these tags, each time.
fn between<'a>(page: &'a str, tag: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{tag}>"), format!("</{tag}>"));
    page.split(&start).skip(1).map(|rest| rest.split_once(&end).unwrap().0).collect()
}

#[test]
fn the_page_is_the_published_one_and_lets_nothing_else_in() {
    let page = fs::read_to_string(receipt_page()).unwrap();
    let sources = |tag| -> String {
        between(&page, tag)
            .iter()
            .map(|text| format!(" 'sha256-{}'", BASE64_STANDARD.encode(sha256(text))))
            .collect()
    };
    let policy = format!(
        "default-src 'none'; script-src{}; style-src{}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'",
        sources("script"),
        sources("style")
    );
    assert!(page.contains(&format!("content=\"{policy}\"")), "the policy of the page must be: {policy}");
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (2, 1));
    for other in ["http://", "https://", " src=", " href=", " style=", " onclick=", "innerHTML", "eval("] {
        assert!(!page.contains(other), "{other}");
    }
    let hash = hex::encode(sha256(&page));
    let published = fs::read_to_string(receipt_page().with_extension("html.sha256")).unwrap();
    assert_eq!(published, format!("{hash}  receipt.html\n"));
    assert!(
        fs::read_to_string(root().join("docs/receipt.md")).unwrap().contains(&hash),
        "docs/receipt.md: {hash}"
    );
}

/// The page, and what its user does.
struct User(Browser);

impl User {
    fn fill(&mut self, place: &str, text: &str) {
        self.0.evaluate(&format!(
            "{{ const place = document.getElementById('{place}-text'); place.value = {}; \
             place.dispatchEvent(new Event('input')); }}",
            json!(text)
        ));
    }

    /// Presses the button, and gives the verdict once it is there.
    fn check(&mut self) -> String {
        let verdict = self.0.evaluate(
            "new Promise((resolve) => {
               new MutationObserver((_, observer) => {
                 observer.disconnect();
                 resolve(document.getElementById('verdict').dataset.verdict);
               }).observe(document.getElementById('told'), { childList: true });
               document.getElementById('check').click();
             })",
        );
        verdict.as_str().unwrap().to_owned()
    }

    fn text(&mut self) -> String {
        let text = self.0.evaluate(
            "document.getElementById('told').innerText + document.getElementById('result').innerText",
        );
        text.as_str().unwrap().to_owned()
    }

    /// The steps that stand like this.
    fn steps(&mut self, state: &str) -> Value {
        self.0.evaluate(&format!(
            "[...document.querySelectorAll('[data-state={state}]')].map((step) => step.dataset.step)"
        ))
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn the_page_tells_what_holds_and_what_was_not_checked() {
    let log = Log::new(1);
    let Case { file, .. } = made::all(&log).remove(0);
    let mut value: Value = serde_json::from_slice(&file).unwrap();
    let answer = value["answer"].as_str().unwrap().to_owned();
    let mut user = User(Browser::open(&receipt_page()));
    assert_eq!(user.check(), "unchecked");
    assert!(user.text().contains("Er is niets gecontroleerd"));

    user.fill("receipt", std::str::from_utf8(&file).unwrap());
    user.fill("keys", &log.vkey);
    assert_eq!(user.check(), "holds");
    let text = user.text();
    for part in ["Het ontvangstbewijs klopt", "REINTEGRATION", "Doel", "23 november 2026", "Uitkomst"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("niet bewezen"), "{text}");
    assert_eq!((user.steps("ok").as_array().unwrap().len(), user.steps("absent")), (18, json!([])));
    assert_eq!(user.0.evaluate("document.activeElement.id"), "verdict");

    // In English, and back; what was found stays.
    user.0.evaluate("document.getElementById('language').click()");
    assert!(user.text().contains("The receipt holds"));
    assert_eq!(
        user.0.evaluate("document.documentElement.lang + document.querySelector('h1').textContent"),
        "enCheck a receipt"
    );
    user.0.evaluate("document.getElementById('language').click()");
    assert!(user.text().contains("Het ontvangstbewijs klopt"));

    // Without the answer the page does not say that the receipt holds.
    value.as_object_mut().unwrap().remove("answer");
    user.fill("receipt", &value.to_string());
    assert_eq!(user.check(), "partly");
    assert!(user.text().contains("niet alles is nagekeken"));
    assert_eq!(user.steps("absent"), json!(["answer"]));
    user.fill("answer", &answer);
    assert_eq!(user.check(), "holds");
    user.fill("answer", "AAAA");
    assert_eq!(user.check(), "refused");
    assert_eq!(user.steps("failed"), json!(["answer"]));
    assert!(user.text().contains("niet bewezen"));
    // Two answers, one in the file, are two too many.
    user.fill("receipt", std::str::from_utf8(&file).unwrap());
    assert_eq!(user.check(), "refused");
    user.fill("answer", "");

    // From files, as most will do it; the key as the gateway writes it.
    let folder = tempfile::tempdir().unwrap();
    user.fill("receipt", "");
    user.fill("keys", "");
    user.0.choose("#receipt-file", &write(folder.path(), "receipt.json", value.to_string().as_bytes()));
    user.0.choose(
        "#keys-file",
        &write(folder.path(), "trust.txt", format!("log {}\nquorum none\n", log.vkey).as_bytes()),
    );
    user.0.choose("#answer-file", &write(folder.path(), "answer", &BASE64_STANDARD.decode(&answer).unwrap()));
    assert_eq!(user.check(), "holds");
    user.fill("keys", &format!("log {}\nquorum all\n", log.vkey));
    assert_eq!(user.check(), "refused");
    assert_eq!(user.steps("failed"), json!(["keys"]));
    user.fill("keys", &Log::new(2).vkey);
    assert_eq!(user.check(), "refused");
    assert_eq!(user.steps("failed"), json!(["signature", "signature"]));
    assert!(user.text().contains("niet bewezen"));

    let (witness, cosigned) = made::cosigned(&log, 1_795_426_200, |_| {});
    user.fill("receipt", &cosigned);
    user.fill("keys", &format!("{}\n{witness}\n", log.vkey));
    assert_eq!(user.check(), "refused");
    assert_eq!(user.steps("failed"), json!(["answer"]));
    user.0.evaluate("document.getElementById('answer-file').value = ''; files.answer = null;");
    assert_eq!(user.check(), "partly");
    assert!(user.text().contains("witness.example"));
    quiet(&user.0);
}

#[test]
fn a_browser_that_cannot_says_so() {
    let mut browser = Browser::open(&receipt_page());
    assert_eq!(browser.evaluate("browserCan()"), true);
    let can = "(async () => {
        const importKey = crypto.subtle.importKey;
        crypto.subtle.importKey = () => Promise.reject(new DOMException('', 'NotSupportedError'));
        try { return await browserCan(); } finally { crypto.subtle.importKey = importKey; }
    })()";
    assert_eq!(browser.evaluate(can), false);
    quiet(&browser);
}

#[test]
fn the_page_reaches_nobody() {
    let mut browser = Browser::open(&receipt_page());
    for (attempt, directive) in [
        ("fetch('http://127.0.0.1:9/').catch(() => {})", "connect-src"),
        ("new Image().src = 'http://127.0.0.1:9/'", "img-src"),
        (
            "document.body.append(document.createElement('script').appendChild(new Text('0')).parentNode)",
            "require-trusted-types-for",
        ),
        ("document.body.setAttribute('style', 'color: red')", "style-src-attr"),
    ] {
        let refused = browser.evaluate(&format!(
            "new Promise((resolve) => {{
               document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), {{ once: true }});
               {attempt};
             }})"
        ));
        assert_eq!(refused, directive);
    }
}

/// Nothing failed in the page, was refused to it, or was asked by it.
fn quiet(browser: &Browser) {
    for method in ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"] {
        assert_eq!(browser.happened(method), [&Value::Null; 0], "{method}");
    }
    assert_eq!(browser.happened("Network.requestWillBeSent").len(), 1);
}
