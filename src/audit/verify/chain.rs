//! Several shards of one log, in their order: whether each begins where the one before ended, with the key that was announced
//! there. Each is verified by itself too.

use std::{fmt, path::Path};

use serde::Serialize;

use super::{VerifyOptions, Witnessing, later::Later, links::Links, verify_shard};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        report::{Code, Finding, Report, Verdict},
    },
    note::VerifierKey,
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

/// Which keys are trusted on the way from shard to shard.
struct Way {
    /// Those that were given, and those that led on from them.
    trust: Option<Vec<VerifierKey>>,
    /// Whether what leads to the key of the next shard could not be read.
    is_lost: bool,
}

impl Way {
    fn knows(&self, origin: &str) -> bool {
        self.trust.iter().flatten().any(|key| key.name() == origin)
    }

    /// The keys for a shard. Where the way is lost they are those of its own export: not anchored, as its report says, and no
    /// sign of tampering.
    fn keys(&self, own: Option<&Links>) -> Option<Vec<VerifierKey>> {
        let goes_on = own.is_none_or(|own| !self.is_lost || self.knows(&own.checkpoint.origin));
        self.trust.clone().filter(|_| goes_on)
    }

    /// Goes on from a shard to the next, by the key that it announced last. It is trusted as the shard is, unless the key of
    /// that was stolen.
    fn go_on(&mut self, own: Option<&Links>, next: Option<&Links>, verdict: Verdict) {
        let (Some(own), Some(next)) = (own, next) else {
            self.is_lost = true;
            return;
        };
        self.is_lost &= !self.knows(&own.checkpoint.origin);
        self.is_lost |= !own.are_keys_opened || verdict == Verdict::Unreadable;
        let holds = verdict <= Verdict::Incomplete && !self.is_lost && !own.is_stolen;
        let announced = own.announced.as_ref().filter(|_| holds);
        let key = announced.and_then(|key| VerifierKey::new(&next.checkpoint.origin, *key.public_key()).ok());
        if let (Some(trust), Some(key)) = (&mut self.trust, key)
            && !trust.contains(&key)
        {
            trust.push(key);
        }
    }
}

/// Verifies exports of the shards of one log, oldest first. Keys that a shard has announced for the next one are trusted as
/// that shard is, unless its key was stolen. Cosignatures of known witnesses are verified in each; where witnesses are
/// required, it is the last one that a quorum must have cosigned, and through it all before.
#[must_use]
pub fn verify_chain(dirs: &[&Path], options: &VerifyOptions<'_>, witnessing: &Witnessing) -> ChainReport {
    let mut report = ChainReport { verdict: Verdict::Verified, shards: Vec::new(), findings: Vec::new() };
    let links: Vec<Option<Links>> = dirs.iter().map(|dir| Links::of(dir)).collect();
    let mut way = Way { trust: options.trust.clone(), is_lost: false };
    for (at, dir) in dirs.iter().enumerate() {
        let own = links.get(at).and_then(Option::as_ref);
        let next = links.get(at + 1).and_then(Option::as_ref);
        let is_last = at + 1 == dirs.len();
        let is_own = |since: &&String| since.lines().next() == own.map(|own| own.checkpoint.origin.as_str());
        let options = VerifyOptions {
            trust: way.keys(own),
            since: options.since.as_ref().filter(is_own).cloned(),
            progress: options.progress,
        };
        let witnessing = Witnessing { required: witnessing.required && is_last, ..witnessing.clone() };
        let later = later(own, links.get(at + 1..).unwrap_or_default());
        let shard = verify_shard(dir, &options, &witnessing, &later);
        report.verdict = report.verdict.max(shard.verdict);
        way.go_on(own, next, shard.verdict);
        report.shards.push(shard);
        match (own, next) {
            _ if is_last => {}
            (Some(own), Some(next)) => follows(own, next, &mut report),
            _ => {
                let detail = format!("what leads from shard {} of these to the next cannot be read", at + 1);
                report.find(Code::ChainNotOpened, detail);
            }
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
fn later<'a>(own: Option<&Links>, links: &'a [Option<Links>]) -> Later<'a> {
    let Some(last) = links.last() else { return Later::unknown() };
    let is_whole = |links: &Option<Links>| links.as_ref().is_some_and(|links| !links.named.is_cut_short);
    let is_end = last.as_ref().is_some_and(|last| !last.is_sealed);
    Later {
        named: links.iter().flatten().map(|links| &links.named).collect(),
        is_followed: true,
        may_be_more: !is_end || !links.iter().all(is_whole),
        left_at: own.zip(links.first().and_then(Option::as_ref)).and_then(|(own, next)| left_at(own, next)),
    }
}

/// What the next shard says of this one, where the log began anew from an older copy of it.
fn left_at(own: &Links, next: &Links) -> Option<String> {
    let previous = next.previous.as_ref().ok()?.as_ref()?;
    let is_own = !previous.reason.in_order() && previous.origin == own.checkpoint.origin;
    is_own.then(|| previous.checkpoint.clone())
}

/// What must hold between a shard and the next.
fn follows(own: &Links, next: &Links, report: &mut ChainReport) {
    let (before, after) = (&own.checkpoint.origin, &next.checkpoint.origin);
    if !own.are_keys_opened || !next.is_genesis_opened {
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
