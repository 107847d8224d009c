//! What the tests of bad input share: what a refusal says, what the log must hold after it, and what is written nowhere.

use std::{collections::BTreeMap, fs, path::Path};

use sluis::proto;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    database::on_postgres,
    lab::{Entry, Lab, reason},
    outside::Outside,
};

/// A refusal as it is expected: gRPC code, reason, and the fields that `BadRequest` names.
pub type Expected = (Code, &'static str, &'static [&'static str]);

/// `INVALID_ARGUMENT` with this reason, at these fields.
pub const fn invalid(reason: &'static str, fields: &'static [&'static str]) -> Expected {
    (Code::InvalidArgument, reason, fields)
}

/// `PERMISSION_DENIED` with this reason, at these fields.
pub const fn denied(reason: &'static str, fields: &'static [&'static str]) -> Expected {
    (Code::PermissionDenied, reason, fields)
}

/// Checks what a refusal says, and that it repeats nothing that was sent.
pub fn assert_refused(what: &str, status: &Status, expected: Expected) {
    let (code, name, fields) = expected;
    assert_eq!(reason(status), (code, name.to_owned()), "{what}: {status:?}");
    let details = status.get_error_details();
    let named: Vec<_> = details.bad_request().iter().flat_map(|bad| &bad.field_violations).collect();
    let named: Vec<_> = named.into_iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(named, fields, "{what}");
    assert_silent(what, status);
}

/// Texts that the tests send where no text belongs. They must come back nowhere.
pub const FREE_TEXT: &str = "Jan de Vries heeft een depressie";
/// A valid number outside the range for tests.
pub const REAL_BSN: &str = "111222333";

fn assert_silent(what: &str, status: &Status) {
    let said = format!("{status:?} {}", String::from_utf8_lossy(status.details()));
    for text in [FREE_TEXT, "depressie", REAL_BSN, crate::lab::BSN] {
        assert!(!said.contains(text), "{what}: the refusal repeats what was sent: {said}");
    }
}

/// Exactly one request and one outcome of one pair, which refuses with this code and releases nothing (P06).
pub fn assert_refused_pair(what: &str, entries: &[Entry], requester: &str, code: &str) {
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["request", "outcome"], "{what}");
    let (request, outcome) = (&entries[0], &entries[1]);
    assert_eq!(request.pair, outcome.pair, "{what}");
    for entry in entries {
        assert_eq!(entry.facts["requester"], requester, "{what}");
    }
    assert_eq!(outcome.facts["effect"], "refused", "{what}");
    assert_eq!(outcome.facts["refusal"], code, "{what}");
    assert_eq!(outcome.facts["released"], serde_json::json!([]), "{what}");
    assert!(outcome.facts["answer"].is_null(), "{what}");
    assert_eq!(outcome.detail["sources"], serde_json::json!([]), "{what}: no source was asked");
}

/// One entry that says which act on a consent was refused, by whom, and why.
pub fn assert_refused_act(what: &str, entries: &[Entry], by: &str, act: &str, code: &str) {
    assert_eq!(entries.len(), 1, "{what}: {entries:?}");
    assert_eq!(entries[0].kind, "consent", "{what}");
    let expected = serde_json::json!({ "event": "refused", "by": by, "act": act, "refusal": code });
    assert_eq!(entries[0].facts, expected, "{what}");
}

/// Every request has one outcome after it, every outcome one request before it, and no other entry shares a pair.
pub fn assert_pairs(entries: &[Entry]) {
    let mut pairs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in entries {
        pairs.entry(&entry.pair).or_default().push(&entry.kind);
    }
    for (pair, kinds) in pairs {
        assert!(kinds == ["request", "outcome"] || kinds.len() == 1, "{pair}: {kinds:?}");
        assert!(kinds.len() == 2 || !["request", "outcome"].contains(&kinds[0]), "{pair}: {kinds:?}");
    }
}

impl Lab {
    /// The OIN of a participant.
    pub fn oin(&self, short: &str) -> String {
        self.world.participants[short].0.to_string()
    }

    /// Writes the counts, and gives those of the whole log: calls turned away unread, by organisation.
    pub async fn turned_away(&self) -> BTreeMap<String, u64> {
        self.world.gateway.flush_counts().await.unwrap();
        let mut counts = BTreeMap::new();
        for entry in self.log(0).await.into_iter().filter(|entry| entry.kind == "turned_away") {
            let organisation = entry.facts["organisation"].as_str().unwrap().to_owned();
            *counts.entry(organisation).or_default() += entry.facts["count"].as_u64().unwrap();
        }
        counts
    }

    /// The purposes of a participant: a call that touches no client and, if answered, leaves nothing in the log.
    pub async fn purposes(client: &sluis::client::Client) -> Result<usize, Status> {
        let listed = client.exchange().list_my_purposes(proto::ListMyPurposesRequest {}).await;
        listed.map(|listed| listed.into_inner().purposes.len())
    }

    /// Asserts that nothing of the gateway holds this text: no table, and where the database is embedded no index and no
    /// write-ahead log either.
    pub async fn assert_written_nowhere(&self, text: &str) {
        let folder = self.world.dir.join("data");
        if on_postgres() {
            Outside::open(&self.world.dir).await.dump(&folder.join("sluis.db")).await;
        }
        assert!(fs::metadata(folder.join("sluis.db")).unwrap().len() > 0);
        search(&folder, text);
    }
}

fn search(folder: &Path, text: &str) {
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            search(&path, text);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!found, "`{text}` stands in {}", path.display());
    }
}
