//! Several shards of one log, in their order: whether each begins where the one before ended, with the key that was announced
//! there. Each is verified by itself too.

use std::{fmt, path::Path};

use serde::Serialize;
use serde_json::Value;

use super::{VerifyOptions, files, parts::Later, verify_shard};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        export::read::{ReadEntry, read},
        leaf::Kind,
        report::{Code, Finding, Report, Verdict},
        shard::{NotPrevious, Previous},
    },
    domain::Timestamp,
    note::{Note, VerifierKey},
};

/// Result of verifying several shards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// The whole.
    pub verdict: Verdict,
    /// Each shard by itself.
    pub shards: Vec<Report>,
    /// What is not as it should be between them.
    pub findings: Vec<Finding>,
}

impl ChainReport {
    /// Exit status, as that of one report: the worst decides.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.verdict.exit_code()
    }

    fn find(&mut self, code: Code, detail: String) {
        self.verdict = self.verdict.max(code.verdict());
        self.findings.push(Finding { position: None, code, detail });
    }
}

impl fmt::Display for ChainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.shards {
            writeln!(f, "{report}")?;
        }
        writeln!(f, "{} shards as a whole: {}", self.shards.len(), self.verdict.word())?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "- {finding}"))
    }
}

/// What a shard says of its neighbours.
struct Links {
    checkpoint: Checkpoint,
    /// The shard before, as its first entry says.
    previous: Result<Option<Previous>, NotPrevious>,
    /// Its own key, as its first entry says.
    key: Option<VerifierKey>,
    /// The key that was announced last for the shard after it.
    announced: Option<VerifierKey>,
    /// Whether its key was said to be stolen. What it announces then is no more than a hint.
    is_stolen: bool,
    is_sealed: bool,
    /// Whether all entries that this takes are opened.
    is_opened: bool,
    /// Erasures: when they were made, and their facts where these are opened.
    erasures: Vec<(Timestamp, Option<String>)>,
}

impl Links {
    /// `None` if the export does not read: then it has findings of its own.
    fn of(dir: &Path) -> Option<Self> {
        let note = files::try_read(&dir.join("checkpoint"), files::MAX_TEXT_BYTES).ok()?;
        let note = String::from_utf8(note).ok()?;
        let checkpoint = Checkpoint::parse(Note::parse(&note).ok()?.unverified_text()).ok()?;
        let mut links = Self {
            checkpoint,
            previous: Ok(None),
            key: None,
            announced: None,
            is_stolen: false,
            is_sealed: false,
            is_opened: true,
            erasures: Vec::new(),
        };
        read(dir, |entry| links.take(&entry)).ok()?;
        Some(links)
    }

    fn take(&mut self, entry: &ReadEntry) {
        self.is_sealed |= entry.leaf.kind == Kind::Seal;
        if entry.leaf.kind == Kind::Erasure {
            self.erasures.push((entry.leaf.time, entry.facts.clone()));
        }
        if !matches!(entry.leaf.kind, Kind::Genesis | Kind::Key) {
            return;
        }
        let facts = entry.facts.as_deref().and_then(|facts| serde_json::from_str::<Value>(facts).ok());
        let Some(facts) = facts else {
            self.is_opened = false;
            return;
        };
        let text = |name: &str| facts.get(name).and_then(Value::as_str);
        let key = text("key").and_then(|key| key.parse().ok());
        if entry.leaf.kind == Kind::Genesis {
            self.key = key;
            self.previous = Previous::read(&facts);
        } else if text("event") == Some("announced") {
            self.announced = key;
        } else {
            self.is_stolen |= text("reason") == Some("compromised");
        }
    }
}

/// Verifies exports of the shards of one log, oldest first. Keys that a verified shard has announced for the next one are
/// trusted as that shard is, unless its key was stolen.
#[must_use]
pub fn verify_chain(dirs: &[&Path], options: &VerifyOptions<'_>) -> ChainReport {
    let mut report = ChainReport { verdict: Verdict::Verified, shards: Vec::new(), findings: Vec::new() };
    let links: Vec<Option<Links>> = dirs.iter().map(|dir| Links::of(dir)).collect();
    let mut trust = options.trust.clone();
    for (at, dir) in dirs.iter().enumerate() {
        let own = links.get(at).and_then(Option::as_ref);
        let next = links.get(at + 1).and_then(Option::as_ref);
        let options = VerifyOptions {
            trust: trust.clone(),
            since: own.and_then(|own| since(own, next, options)),
            progress: options.progress,
        };
        let shard = verify_shard(
            dir,
            &options,
            &super::Witnessing::default(),
            &later(links.get(at + 1..).unwrap_or_default()),
        );
        report.verdict = report.verdict.max(shard.verdict);
        let holds = shard.verdict == Verdict::Verified;
        report.shards.push(shard);
        let (Some(own), Some(next)) = (own, next) else { continue };
        follows(own, next, &mut report);
        let announced = own.announced.as_ref().filter(|_| holds && !own.is_stolen);
        let announced =
            announced.and_then(|key| VerifierKey::new(&next.checkpoint.origin, *key.public_key()).ok());
        if let (Some(trust), Some(key)) = (&mut trust, announced)
            && !trust.contains(&key)
        {
            trust.push(key);
        }
    }
    let of_none = |since: &String| {
        let origin = since.lines().next();
        !links.iter().flatten().any(|links| Some(links.checkpoint.origin.as_str()) == origin)
    };
    if options.since.as_ref().is_some_and(of_none) {
        report.find(Code::SinceOtherLog, "the earlier checkpoint is of none of these shards".to_owned());
    }
    report
}

/// What these later shards say of one before. More may follow where the last of them is closed itself.
fn later(links: &[Option<Links>]) -> Later {
    let Some(Some(last)) = links.last() else { return Later::unknown() };
    let mut later = if last.is_sealed { Later::unknown() } else { Later::default() };
    for links in links {
        match links {
            Some(links) => {
                for (time, facts) in &links.erasures {
                    later.take(*time, facts.as_deref());
                }
            }
            None => return Later::unknown(),
        }
    }
    later
}

/// The earlier checkpoint of a shard: the one that was given, or, where the log began anew from an older copy of it, what the
/// next shard says of it.
fn since(own: &Links, next: Option<&Links>, options: &VerifyOptions<'_>) -> Option<String> {
    let given = options.since.as_ref().filter(|since| since.lines().next() == Some(&own.checkpoint.origin));
    given.cloned().or_else(|| {
        let previous = next?.previous.as_ref().ok()?.as_ref()?;
        (!previous.reason.in_order() && previous.origin == own.checkpoint.origin)
            .then(|| previous.checkpoint.clone())
    })
}

/// What must hold between a shard and the next.
fn follows(own: &Links, next: &Links, report: &mut ChainReport) {
    let (before, after) = (&own.checkpoint.origin, &next.checkpoint.origin);
    if !own.is_opened || !next.is_opened {
        let detail = format!("the entries that lead from `{before}` to `{after}` are not opened");
        return report.find(Code::ChainNotOpened, detail);
    }
    let previous = match &next.previous {
        Ok(Some(previous)) => previous,
        Ok(None) => {
            let detail = format!("`{after}` names no shard before it, and `{before}` was given");
            return report.find(Code::ChainBroken, detail);
        }
        Err(fault) => {
            return report.find(Code::ChainBroken, format!("the first entry of `{after}`: {fault}"));
        }
    };
    let in_order = previous.reason.in_order();
    let named = Checkpoint { origin: previous.origin.clone(), size: previous.size, root: previous.root };
    // Of a shard that had no seal, somebody may have exported more than was there when the next one began.
    let longer = !in_order && named.origin == *before && named.size < own.checkpoint.size;
    if named != own.checkpoint && !longer {
        let detail = format!("`{after}` does not begin where `{before}` ends");
        report.find(Code::ChainBroken, detail);
    }
    if in_order && !own.is_sealed {
        let detail = format!("`{before}` is followed by `{after}` in order, and has no seal");
        report.find(Code::ChainNotSealed, detail);
    }
    let public = |key: &Option<VerifierKey>| key.as_ref().map(|key| *key.public_key());
    if in_order && (own.announced.is_none() || public(&own.announced) != public(&next.key)) {
        let detail = format!("the key of `{after}` is not the one that `{before}` announced last");
        report.find(Code::ChainKeyNotAnnounced, detail);
    }
}
